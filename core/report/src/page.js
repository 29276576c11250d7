'use strict';
// The page is complete without this: it only filters, folds, and follows wires.
(() => {
  const $ = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const items = $('[data-item]');
  const input = document.getElementById('filter');
  const filtered = document.getElementById('filtered');
  const picked = document.getElementById('picked');
  const drawing = document.getElementById('drawing');
  const still = new Map();
  let spot = null;

  const textOf = (item) => {
    if (!still.has(item)) still.set(item, item.textContent.toLowerCase());
    return still.get(item);
  };
  const isOf = (item, number) => item.dataset.from === number || item.dataset.to === number;

  const update = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const fits = words.every((word) => textOf(item).includes(word));
      const isFollowed = spot === null || !item.classList.contains('way') || isOf(item, spot);
      item.hidden = !(fits && isFollowed);
      if (!item.hidden) shown += 1;
    }
    if (words.length || spot !== null) $('details[data-fold]').forEach((it) => { it.open = true; });
    filtered.textContent = words.length ? `${shown} of ${items.length} shown` : '';
  };

  // Wires of a box.
  const follow = (number) => {
    spot = spot === number ? null : number;
    drawing.classList.toggle('following', spot !== null);
    const near = new Set([spot]);
    for (const net of $('.net[data-to]', drawing)) {
      const from = net.dataset.from.split(' ');
      const isIts = net.dataset.to === spot || from.includes(spot);
      net.classList.toggle('on', isIts);
      if (isIts) [net.dataset.to, ...(net.dataset.to === spot ? from : [])].forEach((it) => near.add(it));
    }
    for (const box of $('.spot[data-spot]', drawing)) {
      box.classList.toggle('on', near.has(box.dataset.spot));
      box.setAttribute('aria-pressed', String(box.dataset.spot === spot));
    }
    picked.hidden = spot === null;
    picked.textContent = '';
    if (spot !== null) {
      const box = drawing.querySelector(`.spot[data-spot="${spot}"]`);
      const all = document.createElement('button');
      all.type = 'button';
      all.textContent = 'Show all';
      all.addEventListener('click', () => { follow(spot); box.focus(); });
      picked.append(`The lists show the ways of ${box.querySelector('text').textContent} alone. `, all);
    }
    update();
  };

  if (drawing) {
    drawing.setAttribute('role', 'group');
    for (const box of $('.spot[data-spot]', drawing)) {
      box.setAttribute('tabindex', '0');
      box.setAttribute('role', 'button');
      box.setAttribute('aria-pressed', 'false');
      box.addEventListener('click', (event) => { event.stopPropagation(); follow(box.dataset.spot); });
      box.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          follow(box.dataset.spot);
        }
      });
    }
  }

  input.closest('[hidden]').hidden = false;
  input.addEventListener('input', update);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/' && !event.target.matches('input')) {
      event.preventDefault();
      input.focus();
      input.select();
    } else if (event.key === 'Escape') {
      if (event.target === input && input.value) { input.value = ''; update(); }
      else if (spot !== null) follow(spot);
    }
  });
  for (const button of $('[data-open]')) {
    button.closest('[hidden]')?.removeAttribute('hidden');
    button.addEventListener('click', () => {
      const section = button.closest('section');
      $('details.entry', section).forEach((it) => { it.open = button.dataset.open === 'all'; });
    });
  }
})();
