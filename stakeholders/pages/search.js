// Ask while somebody writes how many cases a search finds and where it cannot be read; Enter puts it into the address.
export default function (component) {
  // Data that changed mounts this anew: what was mounted before must not answer too.
  (document.escucha ??= {}).search?.();
  const { setTriggerValue } = component;
  const box = () => document.querySelector("#e-q");
  let timer = 0;
  let told = null;
  const peek = () => {
    const value = box()?.value ?? "";
    if (value !== told) setTriggerValue("peek", { text: (told = value), place: box()?.selectionStart ?? value.length });
  };
  const write = (event) => {
    if (event.target.id !== "e-q") return;
    clearTimeout(timer);
    timer = setTimeout(peek, 220);
  };
  const go = (value) => {
    const url = new URL(location.href);
    value.trim() ? url.searchParams.set("q", value.trim()) : url.searchParams.delete("q");
    url.searchParams.delete("after");
    history.pushState({}, "", url);
    window.dispatchEvent(new PopStateEvent("popstate"));
  };
  const press = (event) => {
    if (event.target.id !== "e-q") return;
    if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(timer);
      go(event.target.value);
      event.target.blur();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.target.blur();
    }
  };
  const hold = (event) => {
    if (event.target.closest?.("[data-insert], [data-find]")) event.preventDefault(); // the box keeps its place
  };
  const click = (event) => {
    const chip = event.target.closest?.("[data-insert]");
    const field = box();
    if (field && event.target.closest?.("[data-find]")) {
      clearTimeout(timer);
      go(field.value);
      field.blur();
      return;
    }
    if (!chip || !field) return;
    const end = field.selectionStart ?? field.value.length;
    const start = field.value.slice(0, end).search(/[^\s()]*$/);
    field.setRangeText(chip.dataset.insert, start, end, "end");
    field.focus();
    told = null;
    peek();
  };
  const focus = (event) => { if (event.target.id === "e-q") { told = null; peek(); } };
  const listeners = { input: write, keydown: press, mousedown: hold, click, focusin: focus };
  for (const [name, one] of Object.entries(listeners)) document.addEventListener(name, one);
  return (document.escucha.search = () => {
    clearTimeout(timer);
    for (const [name, one] of Object.entries(listeners)) document.removeEventListener(name, one);
  });
}
