// What Gradio has no event for: links and buttons inside HTML, the composing of Korean, the sheet, scrolling.
(() => {
  if (window.jiphyeon) return;
  const find = (selector) => document.querySelector(selector);
  let count = 0; // makes each pick new: the same marker can be pressed twice
  let view = "quote";
  let opener = null; // where the reader was when the evidence opened

  const write = (id, value) => {
    const box = find(`#${id} textarea, #${id} input`);
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, value);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const pick = (turn, target, wanted) => {
    view = wanted || "quote";
    write("pick", JSON.stringify([turn, target, view, ++count]));
  };
  const narrow = () => matchMedia("(max-width: 760px)").matches;
  const gently = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
  const pane = () => find("#pane");

  const ask = (question) => {
    close();
    write("question", question);
    setTimeout(() => find("#question .submit-button").click(), 60); // after Gradio has taken the text in
  };
  const openSheet = (link) => {
    opener = link;
    if (!narrow()) return;
    document.body.classList.add("sheet");
    const row = link.closest(".message-row")?.previousElementSibling;
    if (row) toTop(row);
    setTimeout(() => find("#evidence .close")?.focus({ preventScroll: true }), 300);
  };
  const close = () => {
    document.body.classList.remove("sheet");
    opener?.isConnected && opener.focus({ preventScroll: narrow() });
    opener = null;
  };
  const toTop = (row) => {
    const box = find("#chat .panel-wrap");
    box.scrollTo({ top: box.scrollTop + row.getBoundingClientRect().top - box.getBoundingClientRect().top - 8, behavior: gently() });
  };

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    const cite = at("a.cite");
    const picked = at("[data-pick]");
    if (cite) {
      event.preventDefault();
      const turn = [...cite.classList].find((name) => name.startsWith("turn-")).slice(5);
      pick(Number(turn), cite.getAttribute("href").slice(1), "quote");
      openSheet(cite);
    } else if (picked) {
      pick(...JSON.parse(picked.dataset.pick));
      if (picked.closest("#own")) openSheet(picked);
    } else if (at("[data-remove]")) {
      write("remove", JSON.stringify([at("[data-remove]").dataset.remove, ++count]));
      find("#question textarea").focus();
    } else if (at(".chip")) {
      ask(at(".chip").textContent);
    } else if (at("#evidence .close")) {
      close();
    } else if (at("[data-jump]")) {
      bring(document.getElementById(at("[data-jump]").dataset.jump), 12);
    } else if (at("[data-language]")) {
      localStorage.setItem("jiphyeon-language", at("[data-language]").dataset.language);
      write("language", at("[data-language]").dataset.language);
    } else if (at("button.copy")) {
      const button = at("button.copy");
      const label = button.textContent;
      navigator.clipboard?.writeText(button.nextElementSibling.textContent).then(() => {
        button.textContent = button.title;
        setTimeout(() => (button.textContent = label), 1500);
      });
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
    if (event.key === "Escape" && !event.isComposing) close();
  });

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
  const watchChat = () => {
    const rows = document.querySelectorAll("#chat .user-row");
    if (rows.length > turns) setTimeout(() => toTop(rows[rows.length - 1]), 30);
    turns = rows.length;
    // Gradio labels a message with its own HTML source, which a screen reader would read out.
    document.querySelectorAll("#chat [data-testid][aria-label]").forEach((element) => element.removeAttribute("aria-label"));
  };

  document.head.append(selected);
  new MutationObserver(watchChat).observe(document.documentElement, { childList: true, subtree: true });

  window.jiphyeon = {
    speaks: (masthead) => (document.documentElement.lang = masthead.querySelector("[lang]").lang),
    language: () => [localStorage.getItem("jiphyeon-language") || ""],
    shown: () => {
      const section = find("#evidence .evidence");
      const mark = find("#evidence mark.current");
      const target = section?.dataset.target ?? "";
      const look = target.startsWith("c") ? "background:var(--bright);color:var(--on-bright)" : "text-decoration:underline";
      selected.textContent = target
        ? `#chat .prose a.cite.turn-${section.dataset.turn}[href="#${target}"]{${look}}`
        : "";
      const box = pane();
      const bottom = mark ? box.scrollTop + mark.getBoundingClientRect().bottom - box.getBoundingClientRect().top : 0;
      // A quote that the top of the pane already shows stays there, below who says it.
      if (bottom < box.clientHeight * 0.85) box.scrollTo({ top: 0 });
      else bring(mark, box.clientHeight * 0.3);
    },
  };
})();
