// Gives forms that ask for a secret the public key of this browser, so that it alone can read the secret. Where there is
// no WebCrypto or no place to keep the key the field stays empty, and the portal's own seal is the only one.

import { make } from "./browser_keys.js";

const waiting = new Map();

async function give(field) {
  try {
    field.value = await make();
  } catch {
    field.value = "";
  }
  waiting.delete(field.form);
}

function giveAll() {
  for (const field of document.querySelectorAll("input[name='browser_key']")) {
    if (!field.value && !waiting.has(field.form)) waiting.set(field.form, give(field));
  }
}

// Whoever is quicker than the key waits for it.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!waiting.has(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting.get(form).then(() => form.requestSubmit(event.submitter));
  },
  { capture: true },
);

document.addEventListener("htmx:afterSwap", giveAll);
giveAll();
