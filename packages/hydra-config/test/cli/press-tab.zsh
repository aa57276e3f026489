# Opens a shell in a terminal of its own, presses Tab behind `node <program> item=s`, and prints what the line became and
# whether anything is left of the completion after it was uninstalled.
zmodload zsh/zpty
zpty shell "PS1='%% ' zsh -f -i"

await() {
  local chunk seen=
  while zpty -r -m shell chunk "*${~1}*"; do
    seen+=$chunk
    [[ $seen == *${~1}* ]] && break
  done
  print -r -- "$seen"
}

zpty -w shell 'autoload -Uz compinit; compinit -u -D; print READY-$((1+1))'
await READY-2 >/dev/null
zpty -w shell 'show() { print -r -- "<LINE=$BUFFER>" }; zle -N show; bindkey "^X" show'
zpty -w shell "eval \"\$(node $1 -sc install=zsh)\"; print SET-\$((1+1))"
await SET-2 >/dev/null
zpty -w -n shell "node --no-warnings $1 item=s"$'\t\x18'
await 'LINE=*>'
zpty -w shell $'\x15'"eval \"\$(node $1 -sc uninstall=zsh)\"; print LEFT-\${+functions[_hydra_complete]}-"
await 'LEFT-[01]-'
zpty -d shell
