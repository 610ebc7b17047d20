// Work through the rows of the inbox, and with the one case that is open, by keyboard and mouse. What is chosen lives
// here, in the browser: choosing asks nobody, and a list that is drawn anew (by the program, every few seconds) finds its
// rows chosen as they were.
const memory = { at: null, place: 0, picked: new Set(), last: null, keys: false, stamp: null };
const LISTED = "jkorx*./"; // keys that only a list answers

export default function (component) {
  // Data that changed mounts this anew: what was mounted before must not answer too.
  (document.escucha ??= {}).triage?.();
  const { data, setTriggerValue } = component;
  const $ = (wanted) => document.querySelector(wanted);
  const items = () => [...document.querySelectorAll(".e-item")];
  const own = () => $("[data-case]"); // the head of the case that is open
  const link = (item) => item?.querySelector("a.e-row");
  const still = (item) => !item.classList.contains("busy"); // no step is under way with it
  const typing = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], [role=combobox]");
  if (memory.at === null) {
    memory.at = sessionStorage.getItem("escucha-at");
    memory.place = Number(sessionStorage.getItem("escucha-place")) || 0;
  }
  let arrived = true;

  const settle = (item, place) => {
    memory.at = item ? item.dataset.id : null;
    memory.place = place;
    sessionStorage.setItem("escucha-at", memory.at ?? "");
    sessionStorage.setItem("escucha-place", String(place));
  };
  const paint = () => {
    const all = items();
    const known = new Set(all.map((item) => item.dataset.id));
    for (const one of [...memory.picked]) if (!known.has(one)) memory.picked.delete(one);
    if (memory.at && all.length && !known.has(memory.at)) {
      memory.place = Math.min(memory.place, all.length - 1); // the row left: the one that took its place is next
      settle(all[memory.place], memory.place);
    }
    all.forEach((item, place) => {
      const on = memory.picked.has(item.dataset.id);
      const here = item.dataset.id === memory.at;
      if (here) memory.place = place;
      item.classList.toggle("on", on);
      item.classList.toggle("at", here);
      const box = item.querySelector("input");
      if (box && box.checked !== on) box.checked = on;
      // One stop of Tab for the whole list: arrows and j, k go on from there, the space bar chooses.
      if (box) box.tabIndex = -1;
      link(item).tabIndex = here || (!known.has(memory.at) && place === 0) ? 0 : -1;
    });
    const many = memory.picked.size;
    const bar = $(".e-act");
    bar?.classList.add("live"); // keys and ticks are answered
    bar?.classList.toggle("some", many > 0);
    const count = bar?.querySelector("[data-count]");
    const words = many === 1 ? data.one : data.many.replace("{n}", String(many));
    if (count && count.textContent !== words) count.textContent = words;
    const every = bar?.querySelector("[data-all]");
    if (every) {
      every.checked = many > 0 && many === all.length;
      every.indeterminate = many > 0 && many < all.length;
    }
    const lost = document.activeElement === document.body || !document.activeElement?.isConnected;
    const row = all.find((item) => item.dataset.id === memory.at);
    if (row && lost && (memory.keys || arrived) && !$("dialog[open]")) {
      link(row).focus({ preventScroll: !arrived });
      if (arrived) row.scrollIntoView({ block: "nearest" });
    }
    if (row) arrived = false;
    own()?.classList.add("live");
    const undo = $(".e-undo[data-left]");
    if ((undo?.dataset.at ?? null) !== memory.stamp) { // the step was answered: what stayed as it was can be worked with
      memory.stamp = undo?.dataset.at ?? null;
      setTimeout(() => document.querySelectorAll(".busy").forEach((one) => one.classList.remove("busy")), 500);
    }
    if (undo && !undo.dataset.timed) {
      undo.dataset.timed = "1";
      setTimeout(() => undo.classList.add("gone"), Math.max(0, Number(undo.dataset.left)) * 1000);
    }
  };
  let asked = 0;
  const later = () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(paint);
  };
  const watcher = new MutationObserver(later);
  watcher.observe($('[data-testid="stMain"]') ?? document.body, { childList: true, subtree: true });

  const go = (step) => {
    const all = items();
    if (!all.length) return;
    const place = all.findIndex((item) => item.dataset.id === memory.at);
    const next = place < 0 ? Math.min(memory.at === null ? 0 : memory.place, all.length - 1) : place + step;
    const item = all[Math.max(0, Math.min(all.length - 1, next))];
    settle(item, all.indexOf(item));
    link(item).focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
    paint();
  };
  const pick = (item, on, range) => {
    const all = items();
    const from = range ? all.findIndex((one) => one.dataset.id === memory.last) : -1;
    const to = all.indexOf(item);
    const chosen = from < 0 ? [item] : all.slice(Math.min(from, to), Math.max(from, to) + 1);
    for (const one of chosen.filter(still)) on ? memory.picked.add(one.dataset.id) : memory.picked.delete(one.dataset.id);
    memory.last = item.dataset.id;
    settle(item, to);
    paint();
  };
  const targets = () => {
    const all = items();
    if (own()) return own().dataset.case ? [own()].filter(still) : [];
    const many = all.filter((item) => memory.picked.has(item.dataset.id));
    return many.length ? many : all.filter((item) => item.dataset.id === memory.at && still(item));
  };
  const ask = (name) => {
    if (!targets().length) return;
    const box = $("dialog#e-" + name);
    box?.showModal();
    box?.querySelector("input, [data-press]")?.focus();
  };
  const help = () => {
    const box = $("dialog#e-help");
    const switched = box?.querySelector("[data-keys]");
    if (switched) switched.checked = localStorage.getItem("escucha-keys") !== "off";
    box?.showModal();
  };
  const act = (what, more = {}) => {
    const wanted = targets();
    if (!wanted.length && what !== "undo" && what !== "show") return;
    const cases = Object.fromEntries(wanted.map((item) => [item.dataset.id ?? item.dataset.case, Number(item.dataset.version)]));
    if (what !== "undo" && what !== "show") {
      wanted.forEach((item) => item.classList.add("busy"));
      memory.picked.clear();
    }
    setTriggerValue("act", { what, cases, ...more, press: Date.now() });
    paint();
  };
  const open = (anchor, reply) => {
    if (!anchor) return;
    const url = new URL(anchor.href);
    if (reply) url.searchParams.set("at", "reply");
    history.pushState({}, "", url);
    window.dispatchEvent(new PopStateEvent("popstate"));
    $('[data-testid="stMain"]')?.scrollTo(0, 0);
  };
  const here = () => link(items().find((item) => item.dataset.id === memory.at));
  const steps = {
    j: () => go(1), k: () => go(-1), o: () => open(here()), r: () => open(here(), true),
    x: () => {
      const item = items().find((one) => one.dataset.id === memory.at);
      if (item) pick(item, !memory.picked.has(item.dataset.id));
    },
    "*": () => { items().filter(still).forEach((item) => memory.picked.add(item.dataset.id)); paint(); },
    a: () => act("acknowledge"), e: () => act("assign", { owner: data.who }), c: () => act("close"),
    s: () => act("snooze"), d: () => ask("noise"), m: () => ask("give"), z: () => $(".e-undo:not(.gone) [data-do=undo]")?.click(),
    ".": () => $(".e-fresh")?.click(), "?": () => help(),
    "/": () => { const box = $("#e-q"); box?.focus(); box?.select(); },
    Escape: () => { memory.picked.clear(); paint(); },
  };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = event.target.closest?.("dialog[open]");
    if (box) {
      if (event.key === "Enter" && event.target.matches("input:not([type=checkbox])")) box.querySelector("[data-do]")?.click();
      const chosen = !typing(event.target) && box.querySelector(`[data-do][data-press="${CSS.escape(event.key.toLowerCase())}"]`);
      if (chosen) { event.preventDefault(); chosen.click(); }
      if (event.key === "?" && box.id === "e-help") box.close();
      return;
    }
    if (typing(event.target) || !$(".e-act, .e-undo, [data-case]")) return;
    const row = { ArrowDown: () => go(1), ArrowUp: () => go(-1), " ": steps.x }[event.key];
    if (row && event.target.matches("a.e-row")) { event.preventDefault(); memory.keys = true; row(); return; }
    if (localStorage.getItem("escucha-keys") === "off") return;
    const step = steps[event.key];
    if (!step || (own() && LISTED.includes(event.key)) || (event.key === "Escape" && !memory.picked.size)) return;
    if (event.target.closest?.("button, [role=tab]") && event.key.length > 1) return;
    event.preventDefault();
    memory.keys = true;
    step();
  };
  const click = (event) => {
    const target = event.target;
    const box = target.closest?.("dialog[open]");
    if (box && (target === box || target.closest("[data-shut]"))) { box.close(); return; }
    const button = target.closest?.("[data-do]");
    if (button) {
      const what = button.dataset.do;
      const said = button.dataset.owner ?? box?.querySelector("input")?.value ?? "";
      if (what === "help") help();
      else if (what === "ask-noise") ask("noise");
      else if (what === "ask-give") ask("give");
      else if (what === "none") steps.Escape();
      else if (what === "dismiss" && !said.trim()) box?.querySelector("input")?.focus();
      else act(what, what === "assign" ? { owner: box ? said : data.who } : what === "dismiss" ? { why: said } : {});
      if (box && what !== "help" && (what !== "dismiss" || said.trim())) {
        box.close();
        if (what === "dismiss") box.querySelector("input").value = "";
      }
      return;
    }
    if (target.matches?.("[data-keys]")) { // who dictates or reads by ear may want single keys left alone (WCAG 2.1.4)
      localStorage.setItem("escucha-keys", target.checked ? "on" : "off");
      return;
    }
    const item = target.closest?.(".e-item");
    if (target.matches?.("[data-all]")) {
      target.checked ? steps["*"]() : steps.Escape();
    } else if (item && target.matches("input")) {
      pick(item, target.checked, event.shiftKey);
    } else if (item && target.closest("a.e-row")) {
      if (event.shiftKey) { // a row is chosen, not opened in a window
        event.preventDefault();
        getSelection()?.removeAllRanges();
        pick(item, true, true);
      } else settle(item, items().indexOf(item));
    } else memory.keys = false;
  };
  const focus = (event) => {
    const item = event.target.closest?.(".e-item");
    if (item && event.target.matches("a.e-row") && item.dataset.id !== memory.at) {
      settle(item, items().indexOf(item));
      paint();
    }
  };
  document.addEventListener("keydown", press);
  document.addEventListener("click", click);
  document.addEventListener("focusin", focus);
  later();
  return (document.escucha.triage = () => {
    watcher.disconnect();
    cancelAnimationFrame(asked);
    document.removeEventListener("keydown", press);
    document.removeEventListener("click", click);
    document.removeEventListener("focusin", focus);
  });
}
