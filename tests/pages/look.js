// Tell what of a page a stranger's words made: an element, an address, a direction of writing, a style; and whether the
// page still holds together. `mark` stands in every hostile text, `tracker` is the address that nothing may ask.
([mark, tracker]) => {
  const found = [];
  const tell = (what, one) => found.push(what + ": " + (one.outerHTML ?? String(one)).slice(0, 200));
  const under = (root) =>
    [...root.querySelectorAll("*")].flatMap((one) => (one.shadowRoot ? [one, ...under(one.shadowRoot)] : [one]));
  const theirs =
    "script, img, iframe, object, embed, video, audio, source, link, meta, base, form, math, marquee, template, zq-x";
  const app = document.querySelector("[data-testid=stApp]");
  const fetched = ["src", "srcset", "action", "formaction", "poster", "data", "background", "xlink:href", "href"];
  for (const one of under(document)) {
    const ours = app ? !one.closest(".stHtml, [data-testid=stMarkdownContainer]") : !one.closest("body");
    if (!ours && one.matches(theirs) && !one.matches("form[method=post]:not([action]), img[src^='data:image/png']"))
      tell("an element", one);
    for (const part of one.attributes) {
      const link = one.localName === "a" && part.name === "href";
      const away = link && location.origin !== "null" && one.origin !== location.origin;
      if (part.name.startsWith("on")) tell("a handler", one);
      else if (link && !/^(https?|mailto):$/.test(one.protocol)) tell("a scheme", one);
      else if (away && !(one.target === "_blank" && /noopener/.test(one.rel) && /noreferrer/.test(one.rel)))
        tell("a link that tells where it was opened", one);
      else if (!link && (fetched.includes(part.name) || part.name === "style") && part.value.includes(tracker))
        tell("an address", one);
    }
  }
  for (const one of document.querySelectorAll("[data-testid=stMarkdownContainer], .katex, [data-testid=stIconMaterial]"))
    if (one.textContent.includes(mark)) tell("read as Markdown", one);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const shown = new Set();
  for (let one = texts.nextNode(); one; one = texts.nextNode()) {
    if (/^(SCRIPT|STYLE)$/.test(one.parentElement.tagName)) continue;
    if (/[\u202a-\u202e\u2066-\u2069]/.test(one.data)) tell("a direction", one.parentElement);
    for (const [, number] of one.data.matchAll(new RegExp(mark + "(\\d\\d)", "g"))) shown.add(Number(number));
  }
  if (getComputedStyle(document.documentElement).getPropertyValue("--zz")) tell("a style sheet", "--zz");
  if (window.__hit !== undefined) tell("a script ran", "__hit");
  const main = document.querySelector("[data-testid=stMain]") ?? document.documentElement;
  if (main.scrollWidth > main.clientWidth || document.documentElement.scrollWidth > innerWidth)
    tell("too wide", `${main.scrollWidth} in ${main.clientWidth}`);
  const side = document.querySelector("[data-testid=stSidebarContent]");
  if (side && side.clientWidth > 100 && side.scrollWidth > side.clientWidth) tell("too wide", side.className); // not folded
  return { found, shown: [...shown] };
};
