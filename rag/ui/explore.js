// The corpus's views: what is asked of the server, filters, and the map by pointer and by key.
(() => {
  if (window.jiphyeon.explored) return;
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const narrow = () => matchMedia("(max-width: 47.5em)").matches;
  let wanted = { view: "list" }; // the view that was last asked for
  let chosen = {}; // what its filters say, by view
  let scrolled = {}; // where the reader was, by view
  let again = false; // the page's language changes: the view comes back in the other one
  let count = 0;
  let focus = ""; // the control that had the focus, which the next state replaces

  const ask = (values) => {
    keep();
    wanted = { ...(values.view && values.view !== wanted.view ? {} : wanted), ...values };
    const box = find("#wanted textarea, #wanted input");
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, JSON.stringify({ ...wanted, count: ++count }));
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const section = () => find("#evidence .explore");
  const keep = () => {
    if (section()) scrolled[section().dataset.view] = find("#pane").scrollTop;
  };

  document.addEventListener(
    "click",
    (event) => {
      const at = (selector) => event.target.closest?.(selector);
      if (at("[data-language]")) again = Boolean(section());
      const button = at("[data-explore]");
      if (button) {
        event.stopPropagation(); // the page's own listener would show the plain list
        if (narrow()) document.body.classList.add("sheet");
        focus = button.matches("nav button") ? `[data-explore='${button.dataset.explore}']` : ".views [aria-current=page]";
        const values = at(".browse, .back") ? wanted : JSON.parse(button.dataset.explore);
        ask({ ...values, ...(values.view === wanted.view ? {} : { query: "" }) });
      } else if (at(".years [data-jump]")) {
        event.stopPropagation(); // the year's own heading stays in view above what is jumped to
        const box = find("#pane");
        const year = document.getElementById(at("[data-jump]").dataset.jump).parentElement;
        box.scrollTop += year.getBoundingClientRect().top - box.getBoundingClientRect().top - find("#evidence .bar").offsetHeight;
        year.querySelector("button").focus({ preventScroll: true });
      } else if (at("#evidence [data-pick]")) keep();
    },
    true,
  );

  // --- filters ---
  const controls = () => all("#evidence .explore :is(.find, .filters, .narrow) :is(input, select)");
  const fits = (row, state, without) => {
    const holds = (name) => !state[name] || name === without || (row.dataset[name] || "").split(" ").includes(state[name]);
    const date = row.dataset[state.dated || "published"] || "";
    const words = (state.query || "").normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
    return (
      ["place", "kind", "tongue", "status"].every(holds) &&
      (!state.since || date >= state.since) &&
      (!state.until || (date && date <= state.until)) &&
      words.every((word) => row.textContent.toLowerCase().includes(word))
    );
  };
  const filter = () => {
    if (!section()) return;
    const state = Object.fromEntries(controls().map((control) => [control.name, control.value]));
    chosen[section().dataset.view] = state;
    const rows = all("#evidence .topics > li, #evidence .timeline .event");
    // A search that was sent has its passages above: the list then stays whole.
    const kept = find("#evidence .explore > .found") && state.query === wanted.query ? { ...state, query: "" } : state;
    let shown = 0;
    for (const row of rows) shown += !(row.hidden = !fits(row, kept));
    for (const year of all("#evidence .timeline section")) year.hidden = !year.querySelector(".event:not([hidden])");
    for (const year of all("#evidence .years button")) year.disabled = document.getElementById(year.dataset.jump).parentElement.hidden;
    for (const select of all("#evidence .explore :is(.filters, .narrow) select")) {
      if (select.name === "dated") continue;
      const others = rows.filter((row) => fits(row, kept, select.name));
      for (const option of select.options) {
        option.dataset.label ??= option.textContent;
        const held = option.value ? others.filter((row) => row.dataset[select.name].split(" ").includes(option.value)) : others;
        option.textContent = `${option.dataset.label} (${held.length})`;
      }
    }
    const told = find("#evidence .explore .shown");
    if (told) told.textContent = told.dataset.form.replace("{shown}", shown).replace("{total}", rows.length);
    const none = find("#evidence .explore .none[hidden], #evidence .explore p.none");
    if (none) none.hidden = shown > 0;
    const set = ["place", "kind", "tongue", "status", "since", "until"].filter((name) => state[name]).length;
    const badge = find("#evidence .filters .count");
    if (badge) badge.textContent = set ? `· ${set}` : "";
  };
  document.addEventListener("input", (event) => {
    if (event.target.closest?.("#evidence .explore :is(.find, .filters, .narrow)")) filter();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.closest?.("#evidence .explore form")) return;
    event.preventDefault();
    if (event.target.matches(".find")) {
      focus = ".find input";
      ask({ view: "list", query: event.target.elements.query.value });
    }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#evidence .filters .clear")) return;
    for (const control of controls()) if (control.name !== "dated" && control.name !== "query") control.value = "";
    filter();
  });

  // --- the comparison ---
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("#evidence .compared");
    if (!form) return;
    limit(form);
    const places = [...form.querySelectorAll("[name=place]:checked")].map((box) => box.value);
    focus = event.target.name === "aspect" ? ".compared select" : `.compared [value="${event.target.value}"]`;
    ask({ view: "compare", aspect: form.elements.aspect.value, places });
  });
  const limit = (form) => {
    const boxes = [...form.querySelectorAll("[name=place]")];
    const full = boxes.filter((box) => box.checked).length >= Number(form.dataset.most);
    const few = boxes.filter((box) => box.checked).length <= 2;
    for (const box of boxes) box.disabled = box.checked ? few : full;
  };

  // --- the map ---
  const points = () => all("#evidence .map use");
  const name = (point) => {
    const label = find("#evidence .map .named");
    for (const other of all("#evidence .map .at")) other.classList.remove("at");
    point.classList.add("at");
    label.textContent = point.getAttribute("aria-label");
  };
  const place = (point) => [point.x.baseVal.value, point.y.baseVal.value];
  const nearest = (event) => {
    const svg = event.target.closest?.("#evidence .map svg");
    if (!svg) return null;
    const spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const reach = 22 / svg.getScreenCTM().a; // a finger's half width, in the map's units
    const off = (point) => Math.hypot(place(point)[0] - spot.x, place(point)[1] - spot.y);
    const near = points().filter((point) => off(point) < Math.min(reach, 60) && !point.matches(".dim"));
    return near.sort((a, b) => off(a) - off(b))[0] ?? null;
  };
  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const point = nearest(event);
    if (point && !point.matches(".at")) name(point);
  });
  document.addEventListener(
    "click",
    (event) => {
      // A click beside a point means the nearest; a key's click has no place.
      const point = event.detail ? nearest(event) : null;
      if (!point || event.target === point) return;
      event.stopPropagation();
      name(point);
      point.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    },
    true,
  );
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("#evidence .map use")) name(event.target);
  });
  document.addEventListener("keydown", (event) => {
    const point = event.target;
    if (!point.matches?.("#evidence .map use")) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      point.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    }
    if (!way) return;
    event.preventDefault();
    const [x, y] = place(point);
    let best = null;
    let least = Infinity;
    for (const other of points()) {
      const [dx, dy] = [place(other)[0] - x, place(other)[1] - y];
      const along = dx * way[0] + dy * way[1];
      const aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
      if (other !== point && along > 0.5 && !other.matches(".dim") && along + 2 * aside < least) [best, least] = [other, along + 2 * aside];
    }
    if (!best) return;
    point.tabIndex = -1;
    best.tabIndex = 0;
    best.focus();
  });
  const colour = (by) => {
    find("#evidence .map").dataset.by = by;
    for (const button of all("#evidence .switch button")) button.setAttribute("aria-pressed", button.dataset.by === by);
    for (const legend of all("#evidence .legend")) legend.hidden = legend.dataset.by !== by;
    for (const button of all("#evidence .legend button")) button.setAttribute("aria-pressed", false);
    for (const point of points()) {
      point.setAttribute("href", `#mark-${point.dataset[by]}`);
      point.setAttribute("class", `mark-${point.dataset[by]}`);
    }
  };
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    if (at("#evidence .switch button")) colour(at("#evidence .switch button").dataset.by);
    const button = at("#evidence .legend button");
    if (!button) return;
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    const by = find("#evidence .map").dataset.by;
    const marks = all("#evidence .legend:not([hidden]) button[aria-pressed=true]").map((other) => other.dataset.mark);
    for (const point of points()) point.classList.toggle("dim", marks.length > 0 && !marks.includes(point.dataset[by]));
  });

  // --- a view has come ---
  window.jiphyeon.explored = () => {
    if (!section()) {
      if (again) ask({});
      again = false;
      return;
    }
    const view = section().dataset.view;
    if (again && view !== wanted.view) ask({});
    again = false;
    const state = chosen[view] ?? {};
    for (const control of controls()) if (control.name in state) control.value = state[control.name];
    const filters = find("#evidence .filters");
    if (filters && ["place", "kind", "tongue", "status", "since", "until"].some((key) => state[key])) filters.open = true;
    filter();
    if (find("#evidence .map")) {
      colour("place");
      const first = find("#evidence .map circle.found + use") ?? points()[0];
      if (first) first.tabIndex = 0;
    }
    if (find("#evidence .compared")) limit(find("#evidence .compared"));
    find("#pane").scrollTop = scrolled[view] ?? 0;
    if (focus) find(`#evidence .explore ${focus}`)?.focus({ preventScroll: true });
    if (!find("#evidence .explore > .hint[role=status]:not(.shown)")) focus = ""; // the view itself, not that it is being drawn
  };
})();
