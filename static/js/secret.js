// Shows a sealed secret once, and wipes it: after a minute, when the page is left or put away, when its tab is hidden.
// One that is sealed to a browser is opened here, with a key that this browser has or has not.

import { find, forget, unseal } from "./browser_keys.js";

const ELSEWHERE =
  "This was sealed to the browser in which you asked. Open it there, or give it up and start anew: what works now keeps working.";
const UNREADABLE = "It was opened, but this browser could not read it, and it is gone. Make its key inactive and start anew.";
const UNREACHABLE =
  "The portal could not be reached, or answered in a way this page does not know. Reload the page, then try again.";
const root = document.getElementById("secret");
// A QR code is scanned with a phone that has to be found first.
const SHOWN_SECONDS = Number(root?.dataset.seconds ?? 60);

const SNIPPETS = {
  secret: (id, secret) => secret,
  environment: (id, secret) => `export AWS_ACCESS_KEY_ID=${id}\nexport AWS_SECRET_ACCESS_KEY=${secret}\n`,
  credentials: (id, secret, name) => `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`,
  // Region and output format stay as they are.
  configure: (id, secret) => `${id}\n${secret}\n\n\n`,
  json: (id, secret) => `${JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: secret }, null, 2)}\n`,
};

if (root) {
  const { address, keyId, userName, browserKey, bound } = root.dataset;
  const ask = root.querySelector(".secret-ask");
  const button = ask.querySelector("button");
  const shown = root.querySelector(".secret-shown");
  const places = [...shown.querySelectorAll("[data-snippet]")];
  const left = root.querySelector(".secret-left");
  const words = root.querySelector(".secret-words");
  const place = root.querySelector(".secret-picture");
  let timer;
  let isShown = false;
  let file = "";

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

  function fill(secret) {
    for (const place of places) {
      place.querySelector("code").textContent = secret && SNIPPETS[place.dataset.snippet](keyId, secret, userName);
    }
  }

  function dropFile() {
    if (file) URL.revokeObjectURL(file);
    file = "";
  }

  function wipe() {
    if (!isShown) return;
    isShown = false;
    clearInterval(timer);
    fill("");
    dropFile();
    place?.replaceChildren();
    shown.hidden = true;
    say("It was shown, and is gone from this page and from the portal.");
  }

  function reveal(secret) {
    const until = Date.now() + SHOWN_SECONDS * 1000;
    isShown = true;
    ask.remove();
    words.replaceChildren();
    fill(secret);
    shown.hidden = false;
    shown.querySelector("pre").focus();
    timer = setInterval(() => {
      const seconds = Math.ceil((until - Date.now()) / 1000);
      left.textContent = Math.max(seconds, 0);
      if (seconds <= 0) wipe();
    }, 500);
  }

  function refuse(text) {
    ask.remove();
    say(text);
    words.focus();
  }

  async function read(sealed) {
    try {
      const secret = await unseal(browserKey, sealed, bound);
      await forget(browserKey);
      reveal(secret);
    } catch {
      refuse(UNREADABLE);
    }
  }

  async function open() {
    const headers = { "X-CSRFToken": ask.querySelector("[name=csrfmiddlewaretoken]").value };
    const answer = await fetch(address, { method: "POST", headers, cache: "no-store", redirect: "error" });
    // The sign-in is too long ago, or is over: the page asks for another one.
    if (answer.status === 401) return location.reload();
    const told = await answer.json();
    if (!answer.ok) return refuse(told.words);
    if (told.sealed) return read(told.sealed);
    if (told.picture) draw(told.picture);
    reveal(told.secret);
  }

  // Opening wipes it in the portal, so a browser that could not read it must not.
  async function hasKey() {
    try {
      return !browserKey || Boolean(await find(browserKey));
    } catch {
      return false;
    }
  }

  function download() {
    dropFile();
    const text = shown.querySelector("[data-snippet=credentials] code").textContent;
    file = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = file;
    link.download = "credentials";
    link.click();
  }

  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await open();
    } catch {
      button.disabled = false;
      say(UNREACHABLE);
    }
  });
  shown.querySelector(".secret-download")?.addEventListener("click", download);
  // A page that is put away may come back as it was.
  addEventListener("pagehide", wipe);
  addEventListener("pageshow", (event) => event.persisted && wipe());
  document.addEventListener("visibilitychange", () => document.hidden && wipe());

  if (!(await hasKey())) {
    button.hidden = true;
    say(ELSEWHERE);
  }
}
