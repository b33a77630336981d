// `doctor`: looks at a control plane as an operator would, says what is wrong and what to do about it.
import { Command, Option } from 'commander';
import { print, withHub, type SetExitCode } from '../command.ts';
import { openSession, type HubFlags } from '../objects/index.ts';
import { formatColumns } from '../output/index.ts';
import { shape } from '../shell/index.ts';
import { CHECKS, checkConnection, checkDirectory, type Finding } from './checks.ts';

interface DoctorFlags extends HubFlags {
  readonly dataDir?: string;
  readonly output?: string;
}

const EXAMPLES = `
  # Everything that can be seen through the API
  %s doctor

  # The data directory on this machine too
  %s doctor --data-dir .navarch

  # For a script: exit code 0 when nothing is wrong, 1 when something is
  %s doctor -o json`;

export function doctorCommand(exit: SetExitCode): Command {
  const command = shape(new Command('doctor'), { group: 'Troubleshooting', examples: EXAMPLES });
  return withHub(command)
    .summary('Look for what is wrong with a control plane and say what to do')
    .description(
      'Look for what is wrong with a control plane: connection, store, certificates, clock, versions, members, webhooks, disk. Each finding says what to do. Warnings are no failure; the exit code is 1 when something is wrong.',
    )
    .option('--data-dir <dir>', 'look at this data directory on this machine too')
    .addOption(
      new Option('-o, --output <format>', 'output format').choices(['table', 'json']).default('table'),
    )
    .action(async (flags: DoctorFlags) => {
      const findings = await examine(flags);
      if (flags.output === 'json') print(JSON.stringify({ findings }, undefined, 2));
      else show(findings);
      exit(findings.some(({ status }) => status === 'fail') ? 1 : 0);
    });
}

async function examine(flags: DoctorFlags): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (flags.dataDir !== undefined) findings.push(...(await checkDirectory(flags.dataDir)));
  const session = await openSession(flags);
  try {
    const connection = await checkConnection(session);
    findings.push(connection);
    // Without it, every other finding would be the same one again.
    if (connection.status === 'fail') return findings;
    for (const check of CHECKS) findings.push(...(await check(session)));
  } finally {
    await session.close();
  }
  return findings;
}

const MARKS = { ok: 'ok', warn: 'WARN', fail: 'FAIL' } as const;
const COLOURS = { ok: 32, warn: 33, fail: 31 } as const;

function show(findings: readonly Finding[]): void {
  const colour = process.stdout.isTTY && !process.env['NO_COLOR'];
  const rows = findings.map(({ check, status, detail }) => [check, MARKS[status], detail]);
  const lines = formatColumns([['CHECK', 'STATUS', 'DETAIL'], ...rows])
    .trimEnd()
    .split('\n');
  print(lines[0] ?? '');
  findings.forEach(({ status, advice }, index) => {
    const line = lines[index + 1] ?? '';
    print(colour ? line.replace(MARKS[status], `\u001b[${COLOURS[status]}m${MARKS[status]}\u001b[0m`) : line);
    if (advice !== undefined) print(`   To mend it: ${advice}`);
  });
  const count = (wanted: Finding['status']): number =>
    findings.filter(({ status }) => status === wanted).length;
  print(`\n${count('ok')} fine, ${count('warn')} warnings, ${count('fail')} failures`);
}
