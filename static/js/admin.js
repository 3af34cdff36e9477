// Names and landmarks that Unfold and select2 leave out, for those who hear the admin instead of seeing it.

const name = (node, text) => text && node && !node.hasAttribute("aria-label") && node.setAttribute("aria-label", text.trim());

/** A select2 box is its own element: it takes the words of the label that belongs to the select behind it. */
function nameBoxes(root) {
  for (const select of root.querySelectorAll("select.select2-hidden-accessible")) {
    const words = select.labels?.[0]?.textContent.replace("*", "") || select.getAttribute("aria-label") || select.name;
    const box = select.nextElementSibling;
    name(box?.querySelector("[role=combobox], [role=textbox]"), words);
    name(box?.querySelector(".select2-selection__rendered"), words);
    name(box?.querySelector("textarea.select2-search__field, input.select2-search__field"), words);
  }
}

function plain(head) {
  const cell = document.createElement("td");
  cell.className = head.className;
  return cell;
}

/** A cell of an inline table is named by the head of its column; a head without words is no head but a plain cell. */
function nameCells() {
  for (const table of document.querySelectorAll("table")) {
    const heads = [...table.querySelectorAll("thead th")];
    for (const head of heads) if (!head.textContent.trim() && !head.querySelector("input")) head.replaceWith(plain(head));
    for (const field of table.querySelectorAll("td input:not([type=hidden]), td select, td textarea")) {
      if (field.labels?.length) continue;
      name(field, heads[field.closest("td").cellIndex]?.textContent || field.name);
    }
  }
}

function tidy() {
  document.getElementById("main")?.setAttribute("role", "main");
  document.querySelectorAll("[role=region].simplebar-content-wrapper").forEach((region, n) => n && region.setAttribute("aria-label", `${region.getAttribute("aria-label")} ${n + 1}`));
  nameCells();
  nameBoxes(document);
}

addEventListener("load", () => {
  tidy();
  new MutationObserver(() => nameBoxes(document)).observe(document.body, { childList: true, subtree: true });
});
