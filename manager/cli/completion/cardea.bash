# bash completion for cardea. The words come from `cardea help --options` of the installed program, so that they are
# always those it knows.

_cardea_commands() {
  "$1" help --options 2>/dev/null
}

_cardea() {
  local program=$1 current=$2 previous=$3 line typed="" word
  COMPREPLY=()
  case "$previous" in
    --module | --pin-file | --so-pin-file | --new-pin-file | --puk-file | --new-puk-file | --admin-key-file | --recovery-code-file | \
      --new-admin-key-file | --issuer | --ca | --certificate | --challenge | --answer | --keep | --parent | --key | \
      --transport-key | --in | --input | --out | --output | --signature)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return ;;
    --directory)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      return ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; esac
    typed+="${typed:+ }$word"
  done
  local -a words=()
  while IFS= read -r line; do
    local command=${line%%:*} options=${line#*:}
    if [[ "$typed" == "$command" || "$typed" == "$command "* ]]; then
      read -r -a words <<<"$options"
      break
    elif [[ -z "$typed" || "$command" == "$typed "* ]]; then
      local rest=${command#"$typed"}
      rest=${rest# }
      words+=("${rest%% *}")
    fi
  done < <(_cardea_commands "$program")
  mapfile -t COMPREPLY < <(compgen -W "$(printf '%s\n' "${words[@]}" | sort -u)" -- "$current")
}

complete -F _cardea -o default cardea
