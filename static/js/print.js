// Prints the page; without this script the browser's own menu does it, so the button is of no use then.

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});
