// allauth reports on the console alone when a passkey was not used; people look at the page.

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const notice = document.getElementById("passkey-failed");
  notice.hidden = false;
  notice.focus();
});
