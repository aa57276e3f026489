export type Shell = 'bash' | 'fish' | 'zsh'

export function isShell(text: string): text is Shell {
  return text === 'bash' || text === 'fish' || text === 'zsh'
}

/** How to install and uninstall completion, as `--hydra-help` tells it. */
export function completionHelp(command: string): string {
  const zsh =
    'Zsh is compatible with the Bash shell completion, see the [documentation]' +
    '(https://hydra.cc/docs/1.2/tutorials/basic/running_your_app/tab_completion#zsh-instructions) for details.\n    '
  const lines = [
    ...helpOf('Bash', (word) => `eval "$(${command} -sc ${word}=bash)"`),
    '',
    ...helpOf('Fish', (word) => `${command} -sc ${word}=fish | source`),
    '',
    ...helpOf('Zsh', (word) => `${word === 'install' ? zsh : ''}eval "$(${command} -sc ${word}=bash)"`),
    '',
  ]
  return lines.map((line) => (line === '' ? line : `    ${line}`)).join('\n')
}

function helpOf(shell: string, how: (word: string) => string): string[] {
  return ['Install', 'Uninstall'].flatMap((title) => [`${shell} - ${title}:`, how(title.toLowerCase())])
}

/** What a command is for its shell: the word that it completes, and how to ask the app. */
interface Completed {
  /** First word of the line, without its folder: `node` for `node app.ts`. */
  readonly word: string
  /** File that must be the first argument; undefined where the app is a command of its own. */
  readonly script: string | undefined
}

function completedBy(command: string): Completed {
  const words = command.split(' ')
  const [first = ''] = words
  const word = first.slice(first.lastIndexOf('/') + 1)
  return { word, script: words.length > 1 ? words.at(-1) : undefined }
}

/** A text that the shell evaluates; afterwards it asks `<command> -sc query=<shell>` for what may follow. */
export function installScript(shell: Shell, command: string): string {
  const { word, script } = completedBy(command)
  if (shell === 'fish') return fishScript(command, word, script)
  return shell === 'zsh' ? zshScript(command, word) : bashScript(command, word, script)
}

export function uninstallScript(shell: Shell, command: string): string {
  const { word } = completedBy(command)
  if (shell === 'fish') return `complete -e -c ${word}\nfunctions -e ${functionName(command)}\n`
  if (shell === 'zsh') return `compdef -d ${word}\nunfunction ${functionName(command)}\n`
  return `complete -r ${word} 2>/dev/null\nunset -f ${functionName(command)}\n`
}

function functionName(command: string): string {
  return `_hydra_complete_${command.replace(/[^A-Za-z0-9]+/g, '_')}`
}

/** Words with `=` stay whole, and no space follows a completion: more of the override may come. */
function bashScript(command: string, word: string, script: string | undefined): string {
  const name = functionName(command)
  const guard =
    script === undefined
      ? ''
      : `  case " \${COMP_WORDS[*]:1:COMP_CWORD} " in *" ${script} "*) ;; *) return 1 ;; esac\n`
  return `${name}() {
${guard}  local found
  found=$(COMP_LINE="\${COMP_LINE:0:COMP_POINT}" COMP_POINT="$COMP_POINT" ${command} -sc query=bash 2>/dev/null) || return
  COMPREPLY=($(compgen -W "$found" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
COMP_WORDBREAKS=\${COMP_WORDBREAKS//=}
complete -o nospace -o default -F ${name} ${word}
`
}

function zshScript(command: string, word: string): string {
  const name = functionName(command)
  return `${name}() {
  local -a found
  found=(\${(s: :)"$(COMP_LINE="$LBUFFER" COMP_POINT="$CURSOR" ${command} -sc query=zsh 2>/dev/null)"})
  compadd -Q -S '' -- $found
}
compdef ${name} ${word}
`
}

function fishScript(command: string, word: string, script: string | undefined): string {
  const name = functionName(command)
  const condition = script === undefined ? '' : ` -n '__fish_seen_subcommand_from ${script}'`
  return `function ${name}
    set -lx COMP_LINE (commandline -cp)
    ${command} -sc query=fish 2>/dev/null
end
complete -c ${word}${condition} -x -a '(${name})'
`
}
