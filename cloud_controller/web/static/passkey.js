// Shows or makes a passkey where the browser can: the form that asks for one is hidden until then.

const bytes = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const named = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));

const ask = async (form) => {
  const asked = JSON.parse(form.dataset.question);
  asked.challenge = bytes(asked.challenge);
  if (form.dataset.passkey === "show") {
    asked.allowCredentials = named(asked.allowCredentials);
    return navigator.credentials.get({ publicKey: asked });
  }
  asked.user.id = bytes(asked.user.id);
  asked.excludeCredentials = named(asked.excludeCredentials);
  return navigator.credentials.create({ publicKey: asked });
};

const written = (passkey) => {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (passkey.response[part]) response[part] = text(passkey.response[part]);
  }
  return JSON.stringify({ id: passkey.id, rawId: text(passkey.rawId), type: passkey.type, response });
};

if (window.PublicKeyCredential) {
  for (const also of document.querySelectorAll("[data-with-passkeys]")) also.hidden = false;
  for (const form of document.querySelectorAll("[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const wrong = form.querySelector("[data-wrong]");
      wrong.hidden = true;
      try {
        form.elements.answer.value = written(await ask(form));
      } catch {
        wrong.hidden = false;
        return;
      }
      form.submit();
    });
  }
}
