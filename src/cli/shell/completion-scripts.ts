// The scripts that teach shells to ask `__complete`. What they do with the answer is the same in all three: candidates
// before the tab, descriptions where the shell shows them, files when the directive does not forbid them.
export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** The script for one shell; `program` is what is typed. */
export function completionScript(shell: (typeof SHELLS)[number], program: string): string {
  return SCRIPTS[shell](program, program.replaceAll(/[^A-Za-z0-9]/g, '_'));
}

const SCRIPTS: Record<(typeof SHELLS)[number], (program: string, id: string) => string> = {
  bash: (program, id) => `# bash completion for ${program}
__${id}_complete() {
  local word="\${COMP_WORDS[COMP_CWORD]}" lines line directive=0
  COMPREPLY=()
  lines="$("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word" 2>/dev/null)" || return
  local found=()
  while IFS= read -r line; do
    case "$line" in
      :*) directive="\${line#:}" ;;
      *) found+=("\${line%%$'\\t'*}") ;;
    esac
  done <<< "$lines"
  if [ "\${#found[@]}" -eq 0 ] && [ $((directive & 4)) -eq 0 ]; then
    compopt -o default 2>/dev/null
    return
  fi
  [ $((directive & 2)) -ne 0 ] && compopt -o nospace 2>/dev/null
  local one
  for one in "\${found[@]}"; do
    # bash splits words at "=": what stands before it is not repeated.
    [ "$word" = "=" ] && one="\${one#*=}"
    COMPREPLY+=("$one")
  done
}
complete -o nosort -F __${id}_complete ${program} 2>/dev/null || complete -F __${id}_complete ${program}
`,
  zsh: (program, id) => `#compdef ${program}
compdef _${id} ${program}

_${id}() {
  local -a found
  local line directive=0
  while IFS= read -r line; do
    case "$line" in
      :*) directive="\${line#:}" ;;
      *)
        local name="\${line%%$'\\t'*}" what=""
        [[ "$line" == *$'\\t'* ]] && what="\${line#*$'\\t'}"
        found+=("\${name//:/\\\\:}\${what:+:$what}") ;;
    esac
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT-1]}" "\${words[CURRENT]}" 2>/dev/null)
  if (( \${#found} == 0 )); then
    (( directive & 4 )) || _files
    return
  fi
  if (( directive & 2 )); then _describe -V 'completions' found -S ''; else _describe -V 'completions' found; fi
}

# Also when it is sourced instead of autoloaded.
[ "\${funcstack[1]}" = "_${id}" ] && _${id}
`,
  fish: (program, id) => `# fish completion for ${program}
function __${id}_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$word" 2>/dev/null)
    set -l found
    set -l directive 0
    for line in $lines
        if string match -q ':*' -- $line
            set directive (string sub -s 2 -- $line)
        else
            set -a found $line
        end
    end
    if test (count $found) -eq 0
        test (math "bitand($directive, 4)") -eq 0; and __fish_complete_path $word
        return
    end
    printf '%s\\n' $found
end
complete -c ${program} -e
complete -c ${program} -f -a '(__${id}_complete)'
`,
  powershell: (program) => `# powershell completion for ${program}
Register-ArgumentCompleter -Native -CommandName '${program}' -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | ForEach-Object { $_.ToString() })
  $before = if ($word -ne '') { $words[1..($words.Count - 2)] } else { $words[1..($words.Count - 1)] }
  if ($words.Count -le 1) { $before = @() }
  & $words[0] __complete @before "$word" 2>$null | Where-Object { $_ -notmatch '^:' } | ForEach-Object {
    $name, $what = $_ -split "\`t", 2
    [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', ($what ?? $name))
  }
}
`,
};
