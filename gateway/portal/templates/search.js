// Organisations as they are typed. The button finds the same without this.
const form = document.querySelector('form[role=search]');
const results = document.getElementById('results');
const said = document.getElementById('said');
let waiting;
let asked = 0;
form.elements.q.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const mine = ++asked;
    const answer = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    results.replaceChildren(...page.getElementById('results').childNodes);
    said.textContent = results.querySelector('h2,[role=alert]')?.textContent ?? '';
  }, 200);
});
