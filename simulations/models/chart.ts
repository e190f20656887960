/** One line, or a set of points, of a chart. */
export interface Series {
  readonly name: string
  /** x, y, and half of the 95 % interval of y where y was sampled. */
  readonly points: readonly (readonly [x: number, y: number, spread?: number])[]
  /** Points without a line between them: what was simulated, beside what was computed. */
  readonly isScattered?: boolean
}

export interface Axis {
  readonly label: string
  readonly scale: 'linear' | 'log'
  readonly min: number
  readonly max: number
  /** Where ticks stand, if not at round numbers. */
  readonly ticks?: readonly number[]
  readonly format?: (value: number) => string
}

export interface Chart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  /** Lines across the chart that something is to be compared with. */
  readonly marks?: readonly { readonly y: number; readonly name: string }[]
}

/**
 * A chart as an SVG that can be read on light and on dark ground: text and axes follow the reader's colour scheme.
 * The same chart gives the same bytes.
 */
export function drawChart(chart: Chart): string {
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(chart.title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="title" x="${LEFT}" y="22">${escape(chart.title)}</text>`,
    ...drawAxes(chart),
    ...(chart.marks ?? []).flatMap((mark) => drawMark(chart, mark)),
    ...chart.series.flatMap((series, index) => drawSeries(chart, series, index)),
    ...drawLegend(chart.series),
    '</svg>',
  ]
  return parts.join('\n') + '\n'
}

const WIDTH = 760
const HEIGHT = 420
const LEFT = 78
const RIGHT = 540
const TOP = 38
const BOTTOM = 362

/** Okabe and Ito's colours, which people with any colour vision tell apart, without yellow and black. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a8a8a']
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '4 2', '12 4', '1 4']

const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.ground { fill: #ffffff }
.grid { stroke: #d8dee4; stroke-width: 1 }
.frame { stroke: #57606a; fill: none }
.mark { stroke: #57606a; stroke-dasharray: 2 4 }
.line { fill: none; stroke-width: 2.2 }
.small { font-size: 11px }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ground { fill: #0d1117 }
  .grid { stroke: #30363d }
  .frame, .mark { stroke: #9198a1 }
}`

function drawAxes({ x, y }: Chart): string[] {
  const parts: string[] = []
  for (const value of ticksOf(x)) {
    const at = place(x, value, LEFT, RIGHT)
    parts.push(`<line class="grid" x1="${at}" y1="${TOP}" x2="${at}" y2="${BOTTOM}"/>`)
    parts.push(
      `<text x="${at}" y="${BOTTOM + 18}" text-anchor="middle">${tickText(x, value)}</text>`,
    )
  }
  for (const value of ticksOf(y)) {
    const at = place(y, value, BOTTOM, TOP)
    parts.push(`<line class="grid" x1="${LEFT}" y1="${at}" x2="${RIGHT}" y2="${at}"/>`)
    parts.push(
      `<text x="${LEFT - 8}" y="${round(at + 4)}" text-anchor="end">${tickText(y, value)}</text>`,
    )
  }
  const middle = (TOP + BOTTOM) / 2
  return [
    ...parts,
    `<rect class="frame" x="${LEFT}" y="${TOP}" width="${RIGHT - LEFT}" height="${BOTTOM - TOP}"/>`,
    `<text x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 44}" text-anchor="middle">${escape(x.label)}</text>`,
    `<text transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${escape(y.label)}</text>`,
  ]
}

function drawMark({ y }: Chart, mark: { y: number; name: string }): string[] {
  const at = place(y, mark.y, BOTTOM, TOP)
  return [
    `<line class="mark" x1="${LEFT}" y1="${at}" x2="${RIGHT}" y2="${at}"/>`,
    `<text class="small" x="${RIGHT - 6}" y="${round(at - 4)}" text-anchor="end">${escape(mark.name)}</text>`,
  ]
}

function drawSeries({ x, y }: Chart, series: Series, index: number): string[] {
  const colour = COLOURS[index % COLOURS.length] as string
  const shown = series.points.filter((point) => isShown(x, point[0]) && isShown(y, point[1]))
  const spots = shown.map(([atX, atY, spread]) => ({
    x: place(x, atX, LEFT, RIGHT),
    y: place(y, atY, BOTTOM, TOP),
    low: place(y, Math.max(y.min, atY - (spread ?? 0)), BOTTOM, TOP),
    high: place(y, Math.min(y.max, atY + (spread ?? 0)), BOTTOM, TOP),
  }))
  if (series.isScattered === true) {
    return spots.flatMap((spot) => [
      `<line stroke="${colour}" x1="${spot.x}" y1="${spot.low}" x2="${spot.x}" y2="${spot.high}"/>`,
      `<circle fill="${colour}" cx="${spot.x}" cy="${spot.y}" r="3.6"/>`,
    ])
  }
  const path = spots.map((spot, at) => `${at === 0 ? 'M' : 'L'}${spot.x} ${spot.y}`).join(' ')
  return [`<path class="line" stroke="${colour}" stroke-dasharray="${dashOf(index)}" d="${path}"/>`]
}

function drawLegend(series: readonly Series[]): string[] {
  return series.flatMap(({ name, isScattered }, index) => {
    const colour = COLOURS[index % COLOURS.length] as string
    const y = TOP + 14 + index * 24
    const sign =
      isScattered === true
        ? `<circle fill="${colour}" cx="${RIGHT + 26}" cy="${y - 4}" r="3.6"/>`
        : `<path class="line" stroke="${colour}" stroke-dasharray="${dashOf(index)}" d="M${RIGHT + 12} ${y - 4} h28"/>`
    return [sign, `<text x="${RIGHT + 46}" y="${y}">${escape(name)}</text>`]
  })
}

function dashOf(index: number): string {
  return DASHES[index % DASHES.length] as string
}

function isShown({ min, max }: Axis, value: number): boolean {
  return value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9)
}

function place({ scale, min, max }: Axis, value: number, from: number, to: number): number {
  const part =
    scale === 'log'
      ? (Math.log(value) - Math.log(min)) / (Math.log(max) - Math.log(min))
      : (value - min) / (max - min)
  return round(from + Math.min(1, Math.max(0, part)) * (to - from))
}

function ticksOf({ scale, min, max, ticks }: Axis): readonly number[] {
  if (ticks !== undefined) return ticks
  if (scale === 'linear') return [0, 1, 2, 3, 4, 5].map((at) => min + ((max - min) * at) / 5)
  const [first, last] = [Math.ceil(Math.log10(min) - 1e-9), Math.floor(Math.log10(max) + 1e-9)]
  const every = Math.max(1, Math.ceil((last - first) / 8))
  const powers: number[] = []
  for (let power = last; power >= first; power -= every) powers.push(power)
  return powers.map((power) => Number(`1e${power}`))
}

function tickText({ format }: Axis, value: number): string {
  return escape(format === undefined ? plainNumber(value) : format(value))
}

/** 12,000; 0.05; 10⁻⁷. */
export function plainNumber(value: number): string {
  if (value === 0) return '0'
  if (value >= 0.001 && value < 1e6 * 1.0001)
    return String(Number(value.toPrecision(4))).replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ',')
  const power = Math.floor(Math.log10(value) + 1e-9)
  const factor = Number((value / 10 ** power).toPrecision(2))
  const raised = String(power).replaceAll(
    /[-\d]/g,
    (sign) => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(sign)] as string,
  )
  return `${factor === 1 ? '' : `${factor} · `}10${raised}`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
