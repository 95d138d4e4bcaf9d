// Judging an answer: the buttons under it, the dialog for a wrong citation, what the server said.
(() => {
  if (window.jiphyeon.judged) return;
  const find = (selector) => document.querySelector(selector);
  const judgements = new Map(); // by the answer's key: {verdict, said, problem}
  let count = 0;
  let group = null; // whose wrong citation the dialog asks for
  const keyOf = (judge) => judge.id.split("-")[2];

  const send = (judge, values) => {
    const box = find("#judge textarea, #judge input");
    const press = { turn: Number(judge.id.split("-")[1]), key: keyOf(judge), ...values, count: ++count };
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, JSON.stringify(press));
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const open = (judge) => {
    const dialog = find("#judging dialog");
    const links = judge.closest(".answer").querySelectorAll('a.cite[href^="#c"]');
    const markers = [...new Set([...links].map((link) => link.getAttribute("href").slice(2)))];
    const shown = find("#evidence .evidence")?.dataset;
    const reading = shown?.turn === judge.id.split("-")[1] ? shown.target.slice(1) : "";
    const { marker, comment } = dialog.querySelector("form").elements;
    marker.replaceChildren(...markers.map((number) => new Option(`[${number}]`, number, false, number === reading)));
    if (judge !== group) comment.value = ""; // a comment that could not be kept is still there
    group = judge;
    dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".judge button");
    if (event.target.closest?.("#judging .cancel")) return find("#judging dialog").close();
    if (!button) return;
    const judge = button.closest(".judge");
    const pressed = button.getAttribute("aria-pressed") === "true";
    if (pressed) send(judge, { verdict: null });
    else if (button.matches(".wrong-citation")) open(judge);
    else send(judge, { verdict: button.className });
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.closest("#judging") || !group) return;
    const { marker, comment } = event.target.elements;
    send(group, { verdict: "wrong-citation", marker: Number(marker.value), comment: comment.value });
  });
  // Escape closes the dialog alone.
  document.addEventListener("keydown", (event) => event.key === "Escape" && event.target.closest?.("dialog") && event.stopPropagation());

  // The conversation is drawn again now and then, and Gradio drops `aria-*`: what is pressed is put in again each time.
  const paint = () => {
    for (const judge of document.querySelectorAll("#chat .judge")) {
      const { verdict, said, problem } = judgements.get(keyOf(judge)) ?? {};
      if (judge.title) {
        judge.setAttribute("aria-label", judge.title);
        judge.removeAttribute("title");
      }
      for (const button of judge.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", button.className === verdict);
        if (button.matches(".wrong-citation")) button.setAttribute("aria-haspopup", "dialog");
      }
      const line = judge.querySelector(".said");
      line.classList.toggle("failed", Boolean(problem));
      const text = problem || said;
      if (text && line.textContent !== text) line.textContent = text;
    }
  };
  new MutationObserver(paint).observe(document.documentElement, { childList: true, subtree: true });

  window.jiphyeon.judged = (told) => {
    if (!told) return;
    const { key, verdict, said, problem } = JSON.parse(told);
    judgements.set(key, problem ? { ...judgements.get(key), problem } : { verdict, said });
    if (!problem) group = null;
    paint();
    find("#said").textContent = problem || said;
  };
})();
