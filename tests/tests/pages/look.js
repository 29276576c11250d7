// What tests ask of a page. Loaded by the tests, not by the page.
(() => {
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const isVisible = (it) => it.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true, contentVisibilityAuto: false });
  const name = (it) => `${it.tagName.toLowerCase()}${it.id ? '#' + it.id : ''}.${it.getAttribute('class') || ''} ${(it.textContent || '').trim().slice(0, 40)}`;

  // Colours as the browser computes them: "rgb(1, 2, 3)" or with an alpha.
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => {
    const mix = (one, other) => one * top.a + other * (1 - top.a);
    return { r: mix(top.r, below.r), g: mix(top.g, below.g), b: mix(top.b, below.b), a: 1 };
  };
  const light = ({ r, g, b }) => {
    const part = (it) => { const s = it / 255; return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const contrast = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  // What lies behind an element of the page.
  const behind = (element) => {
    const layers = [];
    for (let it = element; it; it = it.parentElement) {
      const colour = parse(getComputedStyle(it).backgroundColor);
      if (colour.a > 0) layers.push(colour);
      if (colour.a === 1) break;
    }
    return layers.reduceRight((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  // What lies behind a text of the drawing: the last box under its middle.
  const behindText = (text) => {
    const svg = text.ownerSVGElement;
    const box = text.getBBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    let colour = behind(svg.parentElement);
    for (const rect of all('rect', svg)) {
      const at = rect.getBBox();
      const fill = getComputedStyle(rect).fill;
      const isUnder = x >= at.x && x <= at.x + at.width && y >= at.y && y <= at.y + at.height;
      if (isUnder && fill !== 'none') colour = over(parse(fill), colour);
    }
    return colour;
  };

  window.look = {
    // Texts with less contrast than AA asks for (4.5), each once.
    faint() {
      const found = new Set();
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || element.closest('script, style, title, desc, svg') || !isVisible(element)) continue;
        const colour = parse(getComputedStyle(element).color);
        const ratio = contrast(over(colour, behind(element)), behind(element));
        if (ratio < 4.5) found.add(`${name(element)}: ${ratio.toFixed(2)}`);
      }
      for (const text of all('#drawing text')) {
        const below = behindText(text);
        const ratio = contrast(parse(getComputedStyle(text).fill), below);
        if (ratio < 4.5) found.add(`${name(text)}: ${ratio.toFixed(2)}`);
      }
      // What is no text and must be seen asks for 3.
      for (const wire of all('#drawing .wire')) {
        const ratio = contrast(parse(getComputedStyle(wire).stroke), behind(wire.ownerSVGElement.parentElement));
        if (ratio < 3) found.add(`a wire: ${ratio.toFixed(2)}`);
      }
      return Array.from(found);
    },
    // How many texts there are to look at.
    texts: () => all('#drawing text').length,
    // Texts of the drawing that are wider than the box that they stand in.
    wide() {
      const found = [];
      for (const text of all('#drawing g:not(.net) > text')) {
        const box = text.parentElement.querySelector('rect').getBBox();
        const own = text.getBBox();
        if (own.x < box.x || own.x + own.width > box.x + box.width) found.push(name(text));
      }
      const labels = all('#drawing .net > .label').map((it) => [it, it.getBBox(), it.parentElement.querySelector('circle').cx.baseVal.value]);
      return found.concat(labels.filter(([, box, track]) => box.x + box.width > track).map(([it]) => name(it)));
    },
    overflow: () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    unfold: () => all('details').forEach((it) => { it.open = true; }),
    // What Tab must come to, in the order of the page; of radio buttons one.
    stops() {
      const radios = new Set();
      return all('a[href], button, input, summary, [tabindex="0"]').filter((it) => {
        if (!isVisible(it) || it.disabled) return false;
        if (it.type !== 'radio') return true;
        const isFirst = !radios.has(it.name) && it.checked;
        if (isFirst) radios.add(it.name);
        return isFirst;
      }).map(name);
    },
    // What has the focus, and whether that is seen.
    focused() {
      const it = document.activeElement;
      if (!it || it === document.body) return null;
      const outline = getComputedStyle(it);
      const rect = it.matches('g.spot') ? getComputedStyle(it.querySelector('rect')).strokeWidth : '';
      return { name: name(it), isSeen: (outline.outlineStyle !== 'none' && parseFloat(outline.outlineWidth) >= 2) || rect === '3px' };
    },
    headings: () => all('h1, h2, h3, h4').filter(isVisible).map((it) => Number(it.tagName[1])),
    shown: () => all('[data-item]').filter((it) => !it.hidden).map((it) => it.textContent),
    paper: () => getComputedStyle(document.body).backgroundColor,
  };
})();
