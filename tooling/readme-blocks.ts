/** A fenced code block of a Markdown file. */
export interface CodeBlock {
  /** The language behind the fence: `ts`, `sh`, … */
  readonly language: string
  /** The line of the opening fence, from 1. */
  readonly line: number
  readonly code: string
}

/** The fenced code blocks of a Markdown text, in order. An unclosed fence throws. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { fence: string; language: string; line: number; code: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line)
    if (open !== undefined) {
      if (fence !== null && fence[1]?.startsWith(open.fence) && fence[2]?.trim() === '') {
        blocks.push({ language: open.language, line: open.line, code: `${open.code.join('\n')}\n` })
        open = undefined
      } else open.code.push(line)
    } else if (fence !== null) {
      open = {
        fence: fence[1] ?? '',
        language: (fence[2] ?? '').trim().split(/\s+/)[0] ?? '',
        line: index + 1,
        code: [],
      }
    }
  }
  if (open !== undefined) throw new Error(`the code block of line ${open.line} is never closed`)
  return blocks
}
