/* Draws the tables of the page of figures as charts, beside them. Reads only what stands in the page; without this file the
   tables are the page. Runs under script-src 'self': no text becomes code or markup, the drawing is a canvas. */
(() => {
  'use strict';
  if (!window.echarts) return;
  const numbers = (rows, name) => rows.map(row => row.dataset[name] === undefined || row.dataset[name] === '' ? null : Number(row.dataset[name]));
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const style = getComputedStyle(document.documentElement);
  const ink = name => style.getPropertyValue(name).trim();
  const options = (figure, rows) => {
    const days = rows.map(row => row.dataset.day);
    const brand = dark ? ink('--brand') : undefined;
    const tooltip = { trigger: 'axis', renderMode: 'richText', confine: true };
    const xAxis = { type: 'category', data: days };
    const yAxis = { type: 'value' };
    if (figure.dataset.chart !== 'course') {
      const noon = hour => figure.dataset.chart === 'hours' && (hour === '12' || hour === '13');
      const data = numbers(rows, 'cases').map((value, n) => noon(days[n]) ? { value, itemStyle: { color: ink('--run') } } : value);
      return { tooltip, xAxis, yAxis, series: [{ type: 'bar', name: figure.dataset.line, data, itemStyle: { color: brand }, label: { show: data.length < 16, position: 'top', color: ink('--ink2') } }] };
    }
    const low = numbers(rows, 'low'), high = numbers(rows, 'high'), median = numbers(rows, 'median');
    const band = low.map((value, n) => value === null || high[n] === null ? null : +(high[n] - value).toFixed(2));
    const before = Number(figure.dataset.before);
    const line = figure.dataset.before === undefined ? undefined : {
      silent: true, symbol: 'none', lineStyle: { type: 'dashed', color: ink('--ink2') },
      label: { formatter: figure.dataset.beforeWord, position: 'insideEndTop', color: ink('--ink2') }, data: [{ yAxis: before }],
    };
    const hidden = { opacity: 0 };
    return {
      tooltip: { ...tooltip, formatter: points => {
        const n = points[0].dataIndex;
        const text = value => value === null ? '—' : String(value);
        return `${days[n]}\n${figure.dataset.line} ${text(median[n])}\n${figure.dataset.band} ${text(low[n])}–${text(high[n])}`;
      } },
      xAxis: { ...xAxis, boundaryGap: false },
      yAxis: { ...yAxis, max: value => Math.ceil(Math.max(value.max, before || 0) * 1.1) },
      series: [
        { type: 'line', name: 'low', stack: 'band', data: low, lineStyle: hidden, symbol: 'none' },
        { type: 'line', name: figure.dataset.band, stack: 'band', data: band, lineStyle: hidden, symbol: 'none', areaStyle: { color: ink('--brand'), opacity: 0.14 } },
        { type: 'line', name: figure.dataset.line, data: median, markLine: line, lineStyle: { color: ink('--brand') }, itemStyle: { color: ink('--brand') }, symbol: 'circle', symbolSize: 5, showSymbol: true },
      ],
    };
  };
  document.querySelectorAll('figure[data-chart]').forEach(figure => {
    const table = document.getElementById(figure.dataset.table);
    const rows = [...table.querySelectorAll('tbody tr')];
    if (rows.length === 0) return;
    let theme;
    try { theme = JSON.parse(figure.dataset.theme); } catch { return; }
    figure.hidden = false;
    figure.setAttribute('role', 'img');
    figure.setAttribute('aria-label', figure.closest('section').querySelector('h2').textContent);
    const chart = window.echarts.init(figure, theme);
    chart.setOption(options(figure, rows));
    figure.dataset.drawn = 'yes';
    table.closest('details').open = false;
    // Larger text and a turned phone change the room without the window's size.
    new ResizeObserver(() => chart.resize()).observe(figure);
  });
})();
