import { type Cursor, isBreakOrEnd, isSpaceOrEnd, restOfLine } from './cursor.ts'
import { yamlError } from './errors.ts'
import type { Token } from './token.ts'

/** What the line of `|` or `>` says: which line breaks of the end are kept, and how deep the text is indented. */
interface Header {
  readonly chomping: '' | '+' | '-'
  readonly increment: number | undefined
}

/** Reads a block scalar in a collection that is indented by `parentIndent` columns (-1 at the top). */
export function scanBlock(cursor: Cursor, parentIndent: number): Token {
  const start = cursor.mark()
  const folded = cursor.peek() === '>'
  cursor.forward()
  const { chomping, increment } = scanHeader(cursor)
  const least = Math.max(parentIndent + 1, 1)
  let indent = least + (increment ?? 1) - 1
  let breaks = ''
  if (increment === undefined) {
    const lead = scanLead(cursor)
    breaks = lead.breaks
    indent = Math.max(least, lead.deepest)
  } else {
    breaks = scanBreaks(cursor, indent)
  }
  let text = ''
  let lineBreak = ''
  while (cursor.column === indent && cursor.peek() !== '\0') {
    text += breaks
    const flush = !isSpaceOrTab(cursor.peek())
    text += cursor.take(restOfLine)
    lineBreak = cursor.takeBreak()
    breaks = scanBreaks(cursor, indent)
    if (cursor.column !== indent || cursor.peek() === '\0') break
    if (folded && lineBreak === '\n' && flush && !isSpaceOrTab(cursor.peek())) {
      if (breaks === '') text += ' '
    } else {
      text += lineBreak
    }
  }
  if (chomping !== '-') text += lineBreak
  if (chomping === '+') text += breaks
  return { type: 'scalar', text, style: folded ? 'folded' : 'literal', start, end: cursor.mark() }
}

function scanHeader(cursor: Cursor): Header {
  const header = cursor.take(/[+-][0-9]|[0-9][+-]|[+-]|[0-9]|/y)
  const sign = header.replace(/[0-9]/, '')
  const digit = header.replace(/[+-]/, '')
  if (digit === '0') {
    throw yamlError('ScannerError', 'the indentation of a block scalar is 1 to 9, not 0', cursor.mark())
  }
  if (!isSpaceOrEnd(cursor.peek())) throw unexpected(cursor)
  cursor.skipSpaces()
  cursor.skipComment()
  if (!isBreakOrEnd(cursor.peek())) throw unexpected(cursor)
  cursor.takeBreak()
  return {
    chomping: sign === '+' || sign === '-' ? sign : '',
    increment: digit === '' ? undefined : Number(digit),
  }
}

function unexpected(cursor: Cursor): Error {
  return yamlError(
    'ScannerError',
    `${JSON.stringify(cursor.peek())} cannot stand in the header of a block scalar`,
    cursor.mark(),
  )
}

function scanLead(cursor: Cursor): { breaks: string; deepest: number } {
  let breaks = ''
  let deepest = 0
  for (;;) {
    cursor.skipSpaces()
    deepest = Math.max(deepest, cursor.column)
    const lineBreak = cursor.takeBreak()
    if (lineBreak === '') return { breaks, deepest }
    breaks += lineBreak
  }
}

function scanBreaks(cursor: Cursor, indent: number): string {
  let breaks = ''
  for (;;) {
    while (cursor.column < indent && cursor.peek() === ' ') cursor.forward()
    const lineBreak = cursor.takeBreak()
    if (lineBreak === '') return breaks
    breaks += lineBreak
  }
}

function isSpaceOrTab(character: string): boolean {
  return character === ' ' || character === '\t'
}
