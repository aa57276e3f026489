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

/** What the shell completes: `node` for all apps that Node runs, else the app's own command, without its folder. */
function completedWord(command: string): string {
  const [first = ''] = command.split(' ')
  return first.slice(first.lastIndexOf('/') + 1)
}

/** A text for the shell to evaluate; it then asks `<command> -sc query=<shell>` what may follow. */
export function installScript(shell: Shell, command: string): string {
  const word = completedWord(command)
  if (shell === 'fish') return fishScript(word)
  return shell === 'zsh' ? zshScript(word) : bashScript(word)
}

export function uninstallScript(shell: Shell, command: string): string {
  const word = completedWord(command)
  if (shell === 'fish') return `complete -e -c ${word}\nfunctions -e _hydra_complete\n`
  if (shell === 'zsh') return `compdef -d ${word}\nunfunction _hydra_complete\n`
  return `complete -r ${word} 2>/dev/null\nunset -f _hydra_complete\n`
}

// Words with `=` stay whole, and no space follows a completion: more of the override may come. Of what Node runs, only
// files that define an app are asked.

function bashScript(word: string): string {
  return `_hydra_complete() {
  local line="\${COMP_LINE:0:COMP_POINT}" index=1 found
  local words=($line)
  local command=("\${words[0]}")
  if [[ \${words[0]##*/} == node ]]; then
    while [[ \${words[index]} == -* ]]; do command+=("\${words[index]}"); index=$((index + 1)); done
    [[ -f \${words[index]} ]] && grep -q defineApp "\${words[index]}" || return 1
    command+=("\${words[index]}")
  fi
  found=$(COMP_LINE="$line" COMP_POINT="$COMP_POINT" "\${command[@]}" -sc query=bash 2>/dev/null) || return 1
  COMPREPLY=($(compgen -W "$found" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
COMP_WORDBREAKS=\${COMP_WORDBREAKS//=}
complete -o nospace -o default -F _hydra_complete ${word}
`
}

function zshScript(word: string): string {
  return `_hydra_complete() {
  local -a parts command found
  local index=2
  parts=(\${=LBUFFER})
  command=("$parts[1]")
  if [[ "\${parts[1]:t}" == node ]]; then
    while [[ "$parts[index]" == -* ]]; do command+=("$parts[index]"); index=$((index + 1)); done
    [[ -f "$parts[index]" ]] && grep -q defineApp "$parts[index]" || return 1
    command+=("$parts[index]")
  fi
  found=(\${(s: :)"$(COMP_LINE="$LBUFFER" COMP_POINT="$CURSOR" "\${command[@]}" -sc query=zsh 2>/dev/null)"})
  compadd -Q -S '' -- $found
}
compdef _hydra_complete ${word}
`
}

function fishScript(word: string): string {
  return `function _hydra_complete
    set -lx COMP_LINE (commandline -cp)
    set -l parts (commandline -cpo)
    set -l cmd $parts[1]
    if test (basename $parts[1]) = node
        for part in $parts[2..-1]
            set -a cmd $part
            string match -q -- '-*' $part; or break
        end
        test -f $cmd[-1]; and grep -q defineApp $cmd[-1]; or return 1
    end
    $cmd -sc query=fish 2>/dev/null
end
complete -c ${word} -x -a '(_hydra_complete)'
`
}
