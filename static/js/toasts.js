// Dismisses a message, and says in one when a part of the page could not be fetched.

const toasts = document.getElementById("toasts");

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
});

function say(words) {
  const toast = document.getElementById("toast-of-failure").content.cloneNode(true);
  toast.querySelector("p").textContent = words;
  toasts.replaceChildren(toast);
}

document.addEventListener("htmx:sendError", () => {
  say("The portal cannot be reached. Check your connection, then try again.");
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 404) say("This is not there any more. Reload the page to see what is.");
  else if (event.detail.xhr.status === 403) say("This page was open too long to act from. Reload it, then try again.");
  else say("The portal could not answer. Nothing was changed here; reload the page, then try again.");
});
