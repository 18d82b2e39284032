// Copies the full identifier or the code beside the button, and says so for as long as it takes to look.

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

async function copyCode(button) {
  await navigator.clipboard.writeText(button.closest(".code").querySelector("code").textContent);
  const words = button.querySelector("span");
  words.textContent = "Copied";
  setTimeout(() => (words.textContent = "Copy"), SAID_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy:not([data-copied])");
  if (button) copy(button);
  const ofCode = event.target.closest(".copy-code");
  if (ofCode) copyCode(ofCode);
});
