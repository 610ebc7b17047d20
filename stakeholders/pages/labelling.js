// The keys of a case: where to write, what to copy, and its labels, each in two keys. A step takes its button away:
// what has the focus then is what comes next, not the top of the page.
const WRITES = ".st-key-case-steps textarea";
const REPLY = '[class*="st-key-draft-"] textarea';
const BLANK = /\[[^[\]\n]{3,300}\]/g;
const PLACES = '.st-key-case-bar, .st-key-case-steps, .st-key-case-owner, .st-key-case-labels';

export default function (component) {
  // Data that changed mounts this anew: what was mounted before must not answer too.
  (document.escucha ??= {}).labelling?.();
  const { data, setTriggerValue } = component;
  const $ = (wanted) => document.querySelector(wanted);
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable], [role=combobox]");
  const button = (key) => $(`.st-key-${key} button:not(:disabled)`);

  const open = (head) => {
    const sheet = $(head ? "dialog#e-label-" + head : "dialog#e-labels");
    if (!sheet) return;
    document.querySelectorAll("dialog.e-labels[open]").forEach((one) => one.close());
    sheet.showModal();
  };
  // What stands behind a tab is drawn when its tab is chosen, and then it is the place to write.
  let wish = ""; // the box that is drawn in a moment, and then is the place to write
  const write = (wanted, place = 0) => {
    const tab = document.querySelectorAll('.st-key-case-steps [role="tab"]')[place];
    if (tab && tab.getAttribute("aria-selected") !== "true") tab.click();
    const box = $(wanted);
    const there = box?.closest('[role="tabpanel"]');
    wish = there ? "" : wanted;
    if (there) setTimeout(() => { box.scrollIntoView({ block: "center" }); box.focus(); fillIn(box, 0); }, 0);
  };
  // What a template leaves open is chosen whole, so that the first key replaces it: the first one, or the one clicked.
  const fillIn = (box, from, to = box.value.length) => {
    for (const found of box.value.matchAll(BLANK)) {
      const end = found.index + found[0].length;
      if (found.index > to || end < from) continue;
      box.setSelectionRange(found.index, end);
      return;
    }
  };
  // The words of a template come a moment after it was chosen; whoever went elsewhere meanwhile is left there.
  const whenFilled = (asked, before, end = Date.now() + 20000) => {
    const stays = [asked, document.body].includes(document.activeElement);
    if (stays && ($(REPLY)?.value ?? before) !== before) write(REPLY);
    else if (stays && Date.now() < end) requestAnimationFrame(() => whenFilled(asked, before, end));
  };
  const steps = {
    l: () => open(""), w: () => write(".st-key-words textarea", 1),
    r: () => { if (!$(REPLY)) button("draft-edit")?.click(); write(REPLY); },
    t: () => write('[class*="st-key-template-"] input'), p: () => ($(".st-key-draft-use") ? button("draft-use") : button("answer"))?.click(), b: () => button("wake")?.click(),
  };
  const press = (event) => {
    const sheet = event.target.closest?.("dialog[open]");
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.matches?.(WRITES)) {
      const keep = event.target.closest(".st-key-words") ? "note" : "draft-save";
      event.target.blur(); // the words are handed over, then kept
      setTimeout(() => button(keep)?.click(), 0);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    // A template was chosen: what it says is the place to go on writing.
    if (event.key === "Enter" && event.target.matches?.('[class*="st-key-template-"] input')) {
      whenFilled(event.target, $(REPLY)?.value ?? "");
    }
    if (sheet) {
      const chosen = sheet.matches(".e-labels") && sheet.querySelector(`[data-press="${CSS.escape(event.key.toLowerCase())}"]`);
      if (chosen) { event.preventDefault(); chosen.click(); }
      return;
    }
    if (typing(event.target) || !$("[data-case]") || localStorage.getItem("escucha-keys") === "off") return;
    const head = $(`#e-labels [data-press="${CSS.escape(event.key)}"]`)?.dataset.label;
    const step = head ? () => open(head) : steps[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  };
  const click = (event) => {
    const box = event.target;
    if (box.matches?.(REPLY) && box.selectionStart === box.selectionEnd) fillIn(box, box.selectionStart, box.selectionStart);
    const label = event.target.closest?.("[data-label]");
    if (label) { open(label.dataset.label); return; }
    const value = event.target.closest?.("[data-head]");
    if (!value) return;
    value.closest("dialog")?.close();
    setTriggerValue("label", { head: value.dataset.head, value: value.dataset.value, mention: data.mention, press: Date.now() });
  };

  let last = null;
  let place = "";
  const focus = (event) => {
    last = event.target;
    const keyed = last.closest?.(PLACES);
    place = keyed ? [...keyed.classList].find((one) => one.startsWith("st-key-case-")) : "";
  };
  let asked = 0;
  const mend = () => {
    if (wish && $(wish)?.closest('[role="tabpanel"]')) write(wish, wish.includes("words") ? 1 : 0);
    if (!place || !last || last.isConnected || document.activeElement !== document.body || $("dialog[open]")) return;
    const box = $("." + place);
    const next = box?.querySelector('button[data-testid="stBaseButton-primary"]:not(:disabled)') ?? box?.querySelector("button:not(:disabled)");
    if (next) next.focus({ preventScroll: true });
  };
  const watcher = new MutationObserver(() => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(mend);
  });
  watcher.observe($('[data-testid="stMain"]') ?? document.body, { childList: true, subtree: true });
  document.addEventListener("keydown", press);
  document.addEventListener("click", click);
  document.addEventListener("focusin", focus);
  return (document.escucha.labelling = () => {
    watcher.disconnect();
    cancelAnimationFrame(asked);
    document.removeEventListener("keydown", press);
    document.removeEventListener("click", click);
    document.removeEventListener("focusin", focus);
  });
}
