// What Gradio has no event for: links and buttons inside HTML, the composing of Korean, the sheet, scrolling.
(() => {
  if (window.jiphyeon) return;
  const find = (selector) => document.querySelector(selector);
  let count = 0; // makes each pick new: the same marker can be pressed twice
  let view = "quote";
  let opener = null; // where the reader was when the evidence opened
  let picking = false; // the evidence that comes was asked for: say what it is
  let held = null; // the key of the pane's control that had the focus, which the next evidence replaces
  let entering = false; // a marker was opened by key: the focus follows into the evidence

  const write = (id, value) => {
    const box = find(`#${id} textarea, #${id} input`);
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, value);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const pick = (turn, target, wanted) => {
    view = wanted || "quote";
    picking = true;
    held = document.activeElement?.closest("#evidence") ? (document.activeElement.dataset.key ?? "") : null;
    const here = find("#evidence .evidence");
    const same = target && here?.dataset.target === target && here.dataset.turn === String(turn) && here.classList.contains(view);
    if (same) return window.jiphyeon.shown(); // Gradio does not draw again what is there
    write("pick", JSON.stringify([turn, target, view, ++count]));
  };
  // Are the listed documents still on the server? After a lost connection it may have forgotten them.
  const checkOwn = () => find(".own [data-remove]") && write("remove", JSON.stringify(["", ++count]));
  const narrow = () => matchMedia("(max-width: 47.5em)").matches;
  const gently = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
  const pane = () => find("#pane");

  const ask = (question) => {
    close();
    write("question", question);
    setTimeout(() => find("#question .submit-button").click(), 60); // after Gradio has taken the text in
  };
  const openSheet = (link) => {
    opener = link;
    hideCard();
    if (!narrow()) return;
    document.body.classList.add("sheet");
    const row = link.closest(".message-row")?.previousElementSibling;
    if (row) toTop(row);
    setTimeout(() => find("#evidence .close")?.focus({ preventScroll: true }), 300);
  };
  const close = () => {
    document.body.classList.remove("sheet");
    returning = true; // to the marker one was at, without its card
    opener?.isConnected && opener.focus({ preventScroll: narrow() });
    returning = false;
    opener = null;
  };
  const toTop = (row) => {
    const box = find("#chat .panel-wrap");
    box.scrollTo({ top: box.scrollTop + row.getBoundingClientRect().top - box.getBoundingClientRect().top - 8, behavior: gently() });
  };

  // The conversation's controls. The buttons that apply change with each press, so the focus is led on.
  const box = () => find("#question textarea");
  const act = (name) => {
    write(name === "again" ? "again" : "act", `${name} ${++count}`);
    if (name === "again") checkOwn();
    if (name === "stop" || name === "again") find("#chat .panel-wrap").focus({ preventScroll: true });
    if (name === "new" || name === "keep") box().focus({ preventScroll: true });
  };
  const save = (file) => {
    if (!file) return;
    const [name, type, text] = JSON.parse(file);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    const cite = at("a.cite");
    const picked = at("[data-pick]");
    if (cite) {
      event.preventDefault();
      const turn = [...cite.classList].find((name) => name.startsWith("turn-")).slice(5);
      entering = event.detail === 0 && !narrow(); // a key's click
      pick(Number(turn), cite.getAttribute("href").slice(1), "quote");
      openSheet(cite);
    } else if (picked) {
      pick(...JSON.parse(picked.dataset.pick));
      if (picked.closest("#own")) {
        openSheet(picked);
        checkOwn();
      }
    } else if (at("[data-remove]")) {
      write("remove", JSON.stringify([at("[data-remove]").dataset.remove, ++count]));
      find("#question textarea").focus();
    } else if (at(".chip")) {
      ask(at(".chip").textContent);
    } else if (at(".bar .wide")) {
      const wide = document.body.classList.toggle("wide");
      at(".bar .wide").setAttribute("aria-pressed", wide);
    } else if (at("[data-copy]")) {
      const day = new Date();
      const today = new Date(day - day.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
      const link = new URL(at(".evidence").dataset.link, location.origin + location.pathname).href;
      copy(at("[data-copy]"), at("[data-copy]").dataset.copy.replaceAll("\ue000", link).replaceAll("\ue001", today));
    } else if (at("#evidence .close")) {
      close();
    } else if (at("[data-jump]")) {
      bring(document.getElementById(at("[data-jump]").dataset.jump), 12);
    } else if (at("[data-language]")) {
      localStorage.setItem("jiphyeon-language", at("[data-language]").dataset.language);
      write("language", at("[data-language]").dataset.language);
    } else if (at("[data-act]")) {
      act(at("[data-act]").dataset.act);
    } else if (at("button.copy")) {
      copy(at("button.copy"), at("button.copy").nextElementSibling.textContent);
    } else if (document.body.classList.contains("sheet") && !at("#pane")) {
      close();
    }
  });

  // Enter that ends a composed syllable must not send: half of "소송" would go out. Safari reports it after
  // compositionend, with key code 229.
  let composing = false;
  addEventListener("compositionstart", () => (composing = true), true);
  addEventListener("compositionend", () => setTimeout(() => (composing = false)), true);
  const guard = (event) => {
    if (event.key === "Enter" && (event.isComposing || composing || event.keyCode === 229)) event.stopImmediatePropagation();
  };
  addEventListener("keydown", guard, true);
  addEventListener("keypress", guard, true);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    if (card.isConnected && !card.hidden) hideCard();
    else if (find("#editing .editing") && document.activeElement === box()) act("keep");
    else close();
  });
  // Arrows: in the tabs to the other tab, elsewhere in the evidence or on a marker to the quote before or after.
  addEventListener("keydown", (event) => {
    const name = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    const at = (selector) => event.target.closest?.(selector);
    if (!name || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || !at("#evidence, #chat a.cite")) return;
    const tabs = at("[role=tablist]");
    const to = tabs ? tabs.querySelector("[aria-selected=false]") : find(`#evidence [data-key=${name}][data-pick]`);
    if (!to) return;
    event.preventDefault();
    hideCard();
    if (tabs) to.focus();
    to.click();
  });

  // --- reading: the card of a marker, what is copied, what is said ---
  const say = (text) => (live.textContent = text);
  const live = document.createElement("div");
  live.id = "said";
  live.setAttribute("role", "status");
  const copy = async (button, text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no clipboard without https: the old way
      const box = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
      button.focus();
    }
    const done = button.dataset.copied || button.title;
    button.dataset.label ??= button.textContent;
    button.textContent = done;
    say(done);
    setTimeout(() => (button.textContent = button.dataset.label), 1500);
  };

  const card = document.createElement("div");
  card.id = "card";
  card.setAttribute("role", "tooltip");
  card.hidden = true;
  let carded = null; // the marker whose card is shown
  let returning = false;
  let soon = 0;
  const showCard = (link) => {
    const turn = [...link.classList].find((name) => name.startsWith("turn-")).slice(5);
    const held = document.getElementById(`card-${turn}-${link.getAttribute("href").slice(2)}`);
    if (!held || !link.isConnected) return;
    card.replaceChildren(...held.cloneNode(true).childNodes);
    card.lang = held.closest("[lang]")?.lang ?? "";
    card.hidden = false;
    carded = link;
    link.setAttribute("aria-describedby", "card");
    const box = link.getBoundingClientRect();
    const above = box.top - card.offsetHeight - 8;
    card.style.left = `${Math.max(8, Math.min(box.left - 24, innerWidth - card.offsetWidth - 8))}px`;
    card.style.top = `${above > 8 ? above : Math.min(box.bottom + 8, innerHeight - card.offsetHeight - 8)}px`;
  };
  const hideCard = () => {
    clearTimeout(soon);
    card.hidden = true;
    carded?.removeAttribute("aria-describedby");
    carded = null;
  };
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = event.target.closest?.("#chat a.cite");
    if (event.target.closest?.("#card") || (link && link === carded)) return clearTimeout(soon);
    clearTimeout(soon);
    if (link) soon = setTimeout(() => showCard(link), 150);
    else if (carded && carded !== document.activeElement) soon = setTimeout(hideCard, 200); // time to reach the card
  });
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest?.("#chat a.cite");
    if (link?.matches(":focus-visible") && !returning) showCard(link);
    else if (carded) hideCard();
  });
  document.addEventListener("scroll", () => carded && hideCard(), { capture: true, passive: true });

  // Files dropped anywhere on the page go to the attach button.
  const dragging = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files") && find("#attach-input, #conversation input[type=file]");
  addEventListener("dragover", (event) => {
    if (!dragging(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    const input = dragging(event);
    if (!input) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  const bring = (element, above) => {
    const box = pane();
    if (!element || !box) return;
    const offset = element.getBoundingClientRect().top - box.getBoundingClientRect().top;
    box.scrollTo({ top: box.scrollTop + offset - above, behavior: gently() });
  };
  const selected = document.createElement("style"); // a rule, since the chat redraws its links while it streams

  // A question that was just asked goes to the top, and its answer grows below it.
  let turns = 0;
  let told = 0;
  const watchChat = () => {
    const rows = document.querySelectorAll("#chat .user-row");
    if (rows.length > turns) {
      setTimeout(() => toTop(rows[rows.length - 1]), 30);
      checkOwn();
    }
    turns = rows.length;
    // Gradio labels a message with its own HTML source, which a screen reader would read out.
    find("#chat .panel-wrap:not([tabindex])")?.setAttribute("tabindex", "-1"); // the focus rests there when a button goes
    document.querySelectorAll("#chat [data-testid][aria-label]").forEach((element) => element.removeAttribute("aria-label"));
    // A marker's title, which would cover its card, becomes its name.
    for (const link of document.querySelectorAll("#chat a.cite[title]")) {
      link.setAttribute("aria-label", link.title);
      link.removeAttribute("title");
    }
    // The log would read out every state of a growing answer: it is told once, when it is complete.
    find('#chat [role="log"][aria-live="polite"]')?.setAttribute("aria-live", "off");
    const complete = document.querySelectorAll("#chat :is(.footer > span, .refusal > .headline, .problem > .headline)");
    const last = complete[complete.length - 1];
    if (complete.length > told) say([last, last.nextElementSibling].map((part) => (part?.matches("span, p") ? part.textContent : "")).join(" "));
    told = complete.length;
  };

  document.head.append(selected);
  document.body.append(live, card); // Gradio adds this script when the page is there
  new MutationObserver(watchChat).observe(document.documentElement, { childList: true, subtree: true });

  window.jiphyeon = {
    speaks: (masthead) => {
      document.documentElement.lang = masthead.querySelector("[lang]").lang;
      find('#chat [role="log"]')?.setAttribute("aria-label", masthead.querySelector("[data-conversation]").dataset.conversation);
    },
    arrives: () => {
      const linked = new URLSearchParams(location.search).has("doc");
      if (linked && narrow()) document.body.classList.add("sheet");
      picking = linked;
      return [localStorage.getItem("jiphyeon-language") || "", linked ? JSON.stringify([0, location.search, "quote"]) : ""];
    },
    save,
    editing: (note) => {
      if (!note.querySelector(".editing")) return;
      box().focus({ preventScroll: true }); // a value put into it leaves the cursor at its end
    },
    shown: () => {
      const section = find("#evidence .evidence");
      const mark = find("#evidence mark.current");
      const target = section?.dataset.target ?? "";
      const look = target.startsWith("c") ? "background:var(--bright);color:var(--on-bright)" : "text-decoration:underline";
      selected.textContent = target
        ? `#chat .prose a.cite.turn-${section.dataset.turn}[href="#${target}"]{${look}}`
        : "";
      find("#evidence .wide")?.setAttribute("aria-pressed", document.body.classList.contains("wide"));
      if (section && picking) {
        say(section.dataset.say ?? section.getAttribute("aria-label"));
        picking = false;
      }
      if (section && (entering || held !== null)) {
        ((!entering && held && find(`#evidence [data-key="${held}"]`)) || section).focus({ preventScroll: true });
        entering = false;
        held = null;
      }
      const box = pane();
      // A quote that the top of the pane already shows stays there, below who says it; of a refusal's passage its beginning
      // is enough, so that the word on top is seen: it does not answer.
      const edge = target.startsWith("p") ? "top" : "bottom";
      const reach = mark ? box.scrollTop + mark.getBoundingClientRect()[edge] - box.getBoundingClientRect().top : 0;
      if (reach < box.clientHeight * 0.85) box.scrollTo({ top: 0 });
      else bring(mark, box.clientHeight * 0.3);
    },
  };
})();
