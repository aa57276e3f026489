/**
 * The script of the dashboard page. What the stream says is put into text and attributes of SVG alone, never into
 * HTML, and a name is a key of a Map, never of an object.
 */
export const dashboardScript: string = String.raw`
'use strict'
const svgSpace = 'http://www.w3.org/2000/svg'
const goneAfter = 10000
const staleAfter = 3000
const sparkTime = 120000
const tiles = new Map()
const pending = new Map()
const byId = (id) => document.getElementById(id)
let connected = false
let drawing = false

function element(tag, className, parent, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  if (parent) parent.append(made)
  return made
}
function drawn(tag, parent, attributes) {
  const made = document.createElementNS(svgSpace, tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  parent.append(made)
  return made
}
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}
function numberOf(frame, field) {
  const value = Object.hasOwn(frame, field) ? Number(frame[field]) : 0
  return Number.isFinite(value) ? value : 0
}
const whole = new Intl.NumberFormat('en-US')
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
function count(value) {
  return Math.abs(value) < 100000 ? whole.format(value) : short.format(value)
}
function rate(value) {
  return value >= 100 ? count(Math.round(value)) : value.toFixed(value >= 10 ? 0 : 1)
}
function duration(ms) {
  return ms >= 10000 ? (ms / 1000).toFixed(1) + ' s' : count(Math.round(ms)) + ' ms'
}

function stateOf(frame, hosts) {
  const open = frame.isCircuitBreakerOpen
  if (frame.propertyValue_circuitBreakerForceOpen === true) return ['Forced open', 'bad']
  if (frame.propertyValue_circuitBreakerForceClosed === true) return ['Forced closed', 'warn']
  if (frame.propertyValue_circuitBreakerEnabled === false) return ['Disabled', 'calm']
  if (open === true || open === 'true') return ['Open', 'bad']
  if (open === false || open === 'false') return ['Closed', 'good']
  const counted = /"?true"?:(\d+)/.exec(String(open))
  return counted ? [counted[1] + ' of ' + hosts + ' open', 'warn'] : ['Unknown', 'calm']
}
function windowOf(frame, hosts) {
  const size = numberOf(frame, 'propertyValue_metricsRollingStatisticalWindowInMilliseconds')
  return Math.max(1, frame.type === 'HystrixThreadPool' ? size / hosts : size) / 1000
}

function header(card) {
  const head = element('div', 'head', card)
  const names = element('div', 'names', head)
  const name = element('div', 'name', names)
  const group = element('div', 'group', names)
  return { name, group, head }
}
function rows(list, labels) {
  const cells = {}
  for (const [key, label, look] of labels) {
    element('dt', '', list, label)
    cells[key] = element('dd', look, list)
    cells[key].dataset.look = look
  }
  return cells
}
function setCount(cell, value) {
  setText(cell, count(value))
  cell.className = value === 0 ? 'zero' : cell.dataset.look
}

function commandTile() {
  const card = element('article', 'card')
  const { name, group, head } = header(card)
  const state = element('span', 'state', head)
  const body = element('div', 'body', card)
  const dial = drawn('svg', body, { class: 'dial', viewBox: '0 0 104 104', role: 'img' })
  drawn('circle', dial, { class: 'halo', cx: 52, cy: 52, r: 51 })
  const circle = drawn('circle', dial, { class: 'volume', cx: 52, cy: 52, r: 30 })
  const percent = drawn('text', dial, { x: 52, y: 52 })
  drawn('text', dial, { class: 'unit', x: 52, y: 66 }).textContent = 'errors'
  const cells = rows(element('dl', '', body), [
    ['success', 'Success', 'good'],
    ['shortCircuited', 'Short-circuited', 'info'],
    ['failure', 'Failure', 'bad'],
    ['timeout', 'Timeout', 'warn'],
    ['rejected', 'Rejected', 'warn'],
    ['rate', 'Requests', ''],
  ])
  const latencies = element('div', 'latencies', card)
  const times = ['mean', '50', '90', '99', '99.5'].map((key) => {
    const cell = element('div', '', latencies)
    element('span', '', cell, key === 'mean' ? 'mean' : key === '50' ? 'median' : key + ' %')
    return [key, cell.appendChild(document.createTextNode(''))]
  })
  const spark = drawn('svg', card, { class: 'spark', viewBox: '0 0 300 34', preserveAspectRatio: 'none' })
  const area = drawn('path', spark, { class: 'area' })
  const line = drawn('path', spark, { class: 'line' })
  const points = []
  return {
    card,
    show(frame, now) {
      const hosts = Math.max(1, numberOf(frame, 'reportingHosts'))
      const perSecond = Math.max(0, numberOf(frame, 'requestCount')) / windowOf(frame, hosts)
      const errors = numberOf(frame, 'errorPercentage') / hosts
      const [label, health] = stateOf(frame, hosts)
      const errorHealth = errors >= 50 ? 'bad' : errors >= 10 ? 'warn' : perSecond > 0 ? 'good' : 'calm'
      setText(name, frame.name)
      name.title = frame.name
      setText(group, (frame.group === frame.name ? '' : String(frame.group ?? '')) + (hosts > 1 ? (frame.group === frame.name ? '' : ' · ') + hosts + ' hosts' : ''))
      setText(state, label)
      state.dataset.health = health
      card.dataset.health = health
      card.dataset.state = label
      dial.dataset.health = health === 'bad' ? 'bad' : errorHealth
      dial.setAttribute('aria-label', Math.round(errors) + ' percent errors')
      circle.setAttribute('r', (30 + 21 * Math.min(1, Math.sqrt(perSecond / hosts / 400))).toFixed(1))
      setText(percent, Math.round(errors) + ' %')
      setCount(cells.success, numberOf(frame, 'rollingCountSuccess'))
      setCount(cells.shortCircuited, numberOf(frame, 'rollingCountShortCircuited'))
      setCount(cells.failure, numberOf(frame, 'rollingCountFailure'))
      setCount(cells.timeout, numberOf(frame, 'rollingCountTimeout'))
      setCount(cells.rejected, numberOf(frame, 'rollingCountThreadPoolRejected') + numberOf(frame, 'rollingCountSemaphoreRejected'))
      setText(cells.rate, rate(perSecond) + ' /s')
      const latency = frame.latencyExecute !== null && typeof frame.latencyExecute === 'object' ? frame.latencyExecute : {}
      for (const [key, cell] of times) {
        const sum = key === 'mean' ? numberOf(frame, 'latencyExecute_mean') : numberOf(latency, key)
        setText(cell, duration(sum / hosts))
      }
      const last = points.at(-1)
      if (last && now - last[0] < 900) last[1] = perSecond
      else points.push([now, perSecond])
      while (points.length > 0 && now - points[0][0] > sparkTime) points.shift()
      const most = Math.max(0.1, ...points.map((point) => point[1]))
      const path = points
        .map(([at, value]) => (300 - (300 * (now - at)) / sparkTime).toFixed(1) + ' ' + (32 - (28 * value) / most).toFixed(1))
        .join(' L')
      const from = (300 - (300 * (now - points[0][0])) / sparkTime).toFixed(1)
      line.setAttribute('d', 'M' + path)
      area.setAttribute('d', 'M' + from + ' 34 L' + path + ' L300 34 Z')
      const severity = { bad: 2, warn: 1, good: 0, calm: 0 }[health]
      this.order = {
        health: [severity, errors, perSecond],
        volume: [perSecond],
        latency: [numberOf(latency, '99') / hosts],
      }
      this.open = health === 'bad' || label.endsWith(' open')
    },
  }
}

function poolTile() {
  const card = element('article', 'card small')
  const { name, group } = header(card)
  const fill = element('i', '', element('div', 'bar', card))
  const cells = rows(element('dl', '', card), [
    ['active', 'Active', ''],
    ['queued', 'Queued', 'warn'],
    ['executed', 'Executed', 'good'],
    ['rejected', 'Rejected', 'bad'],
  ])
  return {
    card,
    show(frame) {
      const hosts = Math.max(1, numberOf(frame, 'reportingHosts'))
      const active = numberOf(frame, 'currentActiveCount')
      const size = numberOf(frame, 'currentMaximumPoolSize')
      const queued = numberOf(frame, 'currentQueueSize')
      setText(name, frame.name)
      name.title = frame.name
      setText(group, (hosts > 1 ? hosts + ' hosts, ' : '') + 'at most ' + count(size) + ' at once')
      const full = size > 0 ? Math.min(1, active / size) : 0
      fill.style.width = Math.round(full * 100) + '%'
      fill.className = full >= 1 ? 'bad' : full >= 0.8 ? 'warn' : ''
      setText(cells.active, count(active) + ' of ' + count(size))
      setText(cells.queued, count(queued) + ' of ' + count(numberOf(frame, 'propertyValue_queueSizeRejectionThreshold')))
      cells.queued.className = queued === 0 ? '' : 'warn'
      setText(cells.executed, rate(numberOf(frame, 'rollingCountThreadsExecuted') / windowOf(frame, hosts)) + ' /s')
      setCount(cells.rejected, numberOf(frame, 'rollingCountCommandRejections'))
      this.order = { health: [full, queued], volume: [numberOf(frame, 'rollingCountThreadsExecuted')], latency: [0] }
    },
  }
}

function collapserTile() {
  const card = element('article', 'card small')
  const { name, group } = header(card)
  const cells = rows(element('dl', '', card), [
    ['requests', 'Requests', ''],
    ['batches', 'Batches', ''],
    ['cached', 'From cache', 'good'],
    ['size', 'Mean batch', ''],
  ])
  return {
    card,
    show(frame) {
      const hosts = Math.max(1, numberOf(frame, 'reportingHosts'))
      setText(name, frame.name)
      name.title = frame.name
      setText(group, hosts > 1 ? hosts + ' hosts' : '')
      setCount(cells.requests, numberOf(frame, 'rollingCountRequestsBatched'))
      setCount(cells.batches, numberOf(frame, 'rollingCountBatches'))
      setCount(cells.cached, numberOf(frame, 'rollingCountResponsesFromCache'))
      setCount(cells.size, Math.round(numberOf(frame, 'batchSize_mean') / hosts))
      this.order = { health: [0], volume: [numberOf(frame, 'rollingCountRequestsBatched')], latency: [0] }
    },
  }
}

const kinds = new Map([
  ['HystrixCommand', { grid: 'commands', make: commandTile }],
  ['HystrixThreadPool', { grid: 'pools', make: poolTile }],
  ['HystrixCollapser', { grid: 'collapsers', make: collapserTile }],
])

function keyOf(frame) {
  return frame.type + '\u0000' + frame.name
}
function remove(key) {
  const tile = tiles.get(key)
  if (!tile) return
  tile.card.remove()
  tiles.delete(key)
}
function receive(text) {
  let frame
  try {
    frame = JSON.parse(text)
  } catch {
    return
  }
  if (frame === null || typeof frame !== 'object' || typeof frame.name !== 'string' || !kinds.has(frame.type)) return
  pending.set(keyOf(frame), frame)
  if (drawing) return
  drawing = true
  // One drawing for all frames of a moment. A hidden page draws nothing, and keeps only the last of each.
  requestAnimationFrame(draw)
}
function draw() {
  drawing = false
  const now = Date.now()
  let added = false
  for (const [key, frame] of pending) {
    if (String(frame.deleteData) === 'true') {
      remove(key)
      continue
    }
    let tile = tiles.get(key)
    if (!tile) {
      const { grid, make } = kinds.get(frame.type)
      tile = make()
      tile.grid = grid
      tile.name = frame.name
      tile.type = frame.type
      tiles.set(key, tile)
      byId(grid).append(tile.card)
      added = true
    }
    tile.seen = now
    tile.show(frame, now)
  }
  pending.clear()
  if (added) arrange()
  else summarize()
}

function before(a, b, by) {
  if (by !== 'name') {
    const [x, y] = [a.order[by], b.order[by]]
    for (let index = 0; index < x.length; index++) if (x[index] !== y[index]) return y[index] - x[index]
  }
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
function arrange() {
  const by = byId('order').value
  const wanted = byId('filter').value.toLowerCase()
  const sorted = [...tiles.values()].sort((a, b) => before(a, b, by))
  for (const { grid } of kinds.values()) {
    const shown = sorted.filter((tile) => tile.grid === grid)
    const parent = byId(grid)
    for (const [index, tile] of shown.entries()) {
      if (parent.children[index] !== tile.card) parent.insertBefore(tile.card, parent.children[index] ?? null)
      tile.card.hidden = !tile.name.toLowerCase().includes(wanted)
    }
    parent.closest('section').hidden = shown.length === 0
  }
  summarize()
}
function summarize() {
  const circuits = [...tiles.values()].filter((tile) => tile.type === 'HystrixCommand')
  const open = circuits.filter((tile) => tile.open).length
  setText(byId('total'), whole.format(circuits.length))
  setText(byId('open'), whole.format(open))
  byId('open').className = open > 0 ? 'bad' : ''
  byId('empty').hidden = tiles.size > 0
}
function say(state, text) {
  const node = byId('connection')
  node.dataset.state = state
  setText(node, text)
}

function listen() {
  const source = new EventSource(document.body.dataset.stream)
  source.onopen = () => {
    connected = true
    say('live', 'Live')
    // What the last connection showed and this one does not is gone.
    const now = Date.now()
    for (const tile of tiles.values()) tile.seen = Math.max(tile.seen, now - goneAfter + staleAfter)
  }
  source.onmessage = (event) => receive(event.data)
  source.onerror = () => {
    connected = false
    say('lost', 'Connection lost, trying again')
    // It tries again by itself, but not after an answer such as 503.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000)
  }
}

setInterval(() => {
  if (document.hidden) return
  const now = Date.now()
  for (const [key, tile] of tiles) {
    const age = now - tile.seen
    if (connected && age > goneAfter) remove(key)
    tile.card.classList.toggle('stale', age > staleAfter)
  }
  arrange()
}, 3000)
byId('filter').addEventListener('input', arrange)
byId('order').addEventListener('change', arrange)
listen()
`
