// Copies the full identifier beside the button, and says so for as long as it takes to look.

const SAID_MS = 1600;

async function copy(button) {
  await navigator.clipboard.writeText(button.closest(".identifier").title);
  const name = button.getAttribute("aria-label");
  button.dataset.copied = "";
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    delete button.dataset.copied;
    button.setAttribute("aria-label", name);
  }, SAID_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy:not([data-copied])");
  if (button) copy(button);
});
