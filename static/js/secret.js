// Shows a sealed secret once, and wipes it: after a minute, when the page is left or put away, when its tab is hidden.

const root = document.getElementById("secret");
// A QR code is scanned with a phone that has to be found first.
const SHOWN_SECONDS = Number(root?.dataset.seconds ?? 60);

if (root) {
  const ask = root.querySelector(".secret-ask");
  const shown = root.querySelector(".secret-shown");
  const code = shown.querySelector("code");
  const left = root.querySelector(".secret-left");
  const words = root.querySelector(".secret-words");
  const place = root.querySelector(".secret-picture");
  let timer;

  function draw(picture) {
    const drawn = new DOMParser().parseFromString(picture, "image/svg+xml").documentElement;
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", "QR code of the key below");
    place.replaceChildren(document.adoptNode(drawn));
  }

  function say(text) {
    const notice = document.getElementById("secret-notice").content.cloneNode(true);
    const sentence = document.createElement("p");
    sentence.textContent = text;
    notice.firstElementChild.replaceChildren(sentence);
    words.replaceChildren(notice);
  }

  function wipe() {
    if (!code.textContent) return;
    clearInterval(timer);
    code.textContent = "";
    place?.replaceChildren();
    shown.hidden = true;
    say("It was shown, and is gone from this page and from the portal.");
  }

  function reveal(secret) {
    const until = Date.now() + SHOWN_SECONDS * 1000;
    ask.remove();
    words.replaceChildren();
    code.textContent = secret;
    shown.hidden = false;
    shown.querySelector("pre").focus();
    timer = setInterval(() => {
      const seconds = Math.ceil((until - Date.now()) / 1000);
      left.textContent = Math.max(seconds, 0);
      if (seconds <= 0) wipe();
    }, 500);
  }

  async function open() {
    const headers = { "X-CSRFToken": ask.querySelector("[name=csrfmiddlewaretoken]").value };
    const answer = await fetch(root.dataset.address, { method: "POST", headers, cache: "no-store", redirect: "error" });
    // The sign-in is too long ago, or is over: the page asks for another one.
    if (answer.status === 401) return location.reload();
    const told = await answer.json();
    if (told.picture) draw(told.picture);
    if (answer.ok) return reveal(told.secret);
    ask.remove();
    say(told.words);
    words.focus();
  }

  const button = ask.querySelector("button");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await open();
    } catch {
      button.disabled = false;
      say("The portal could not be reached, or answered in a way this page does not know. Reload the page, then try again.");
    }
  });
  // A page that is put away may come back as it was.
  addEventListener("pagehide", wipe);
  addEventListener("pageshow", (event) => event.persisted && wipe());
  document.addEventListener("visibilitychange", () => document.hidden && wipe());
}
