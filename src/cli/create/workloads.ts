// `create deployment|job|cronjob|service|ingress|namespace|quota|poddisruptionbudget|priorityclass`.
import { Option, type Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import type { SetExitCode } from '../command.ts';
import type { Session } from '../objects/index.ts';
import { COMMAND_LINE, CommandError, listOption, repeatedOption, upstreamCommand } from '../shell/index.ts';
import { keyValues, maker, type MakerSettings } from './maker.ts';

const commandLine = (): Option => new Option(`--${COMMAND_LINE} <json>`).hideHelp();

function wholeNumber(flag: string, text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError(
    `invalid argument "${text}" for "--${flag}" flag: strconv.ParseInt: parsing "${text}": invalid syntax`,
  );
}

/** The last part of an image's name, without tag: what its container is called. */
function containerName(image: string): string {
  const name = image.split('/').at(-1) ?? image;
  return (name.split(/[:@]/)[0] ?? name).replaceAll(/[^A-Za-z0-9.-]/g, '-').toLowerCase();
}

interface ImageFlags {
  readonly image: readonly string[];
  readonly commandLine?: string;
}

function command(flags: ImageFlags): { readonly command?: readonly string[] } {
  const words = flags.commandLine === undefined ? [] : (JSON.parse(flags.commandLine) as readonly string[]);
  return words.length === 0 ? {} : { command: words };
}

const deployment: MakerSettings<ImageFlags & { readonly replicas: string; readonly port?: string }> = {
  name: 'deployment',
  failure: 'deployment:',
  aliases: ['deploy'],
  what: 'Create a deployment with the specified name',
  examples: `
    # With three replicas
    %s create deployment web --image=registry.example/web:1 --replicas=3

    # With a command
    %s create deployment web --image=registry.example/web:1 -- serve --port 80`,
  flags: (one) =>
    one
      .addOption(repeatedOption('--image <name>', 'image names to run'))
      .option('-r, --replicas <n>', 'number of replicas to create', '1')
      .option('--port <port>', 'the port that this container exposes')
      .addOption(commandLine()),
  make: (name, flags) => {
    if (flags.image.length === 0) throw new CommandError('required flag(s) "image" not set');
    const words = command(flags);
    if (flags.image.length > 1 && words.command !== undefined)
      throw new CommandError('cannot specify multiple --image options and command');
    const labels = { app: name };
    const containers = flags.image.map((image, index) => ({
      name: containerName(image),
      image,
      ...words,
      ...(flags.port === undefined || index > 0
        ? {}
        : { ports: [{ containerPort: wholeNumber('port', flags.port) }] }),
      resources: {},
    }));
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels },
      spec: {
        replicas: wholeNumber('replicas', flags.replicas),
        selector: { matchLabels: labels },
        strategy: {},
        template: { metadata: { labels }, spec: { containers } },
      },
      status: {},
    };
  },
};

function jobSpec(name: string, image: string, restartPolicy: string, words: object): object {
  return {
    template: {
      metadata: {},
      spec: { containers: [{ name, image, ...words, resources: {} }], restartPolicy },
    },
  };
}

const job: MakerSettings<ImageFlags & { readonly from?: string }> = {
  name: 'job',
  failure: 'job:',
  what: 'Create a job with the specified name',
  examples: `
    # From an image
    %s create job once --image=registry.example/tool:1 -- run

    # As a cron job would at its time
    %s create job now --from=cronjob/nightly`,
  flags: (one) =>
    one
      .addOption(repeatedOption('--image <name>', 'image name to run'))
      .option(
        '--from <cronjob/name>',
        'the name of the resource to create a Job from (only cronjob is supported)',
      )
      .addOption(commandLine()),
  make: async (name, flags, session) => {
    const [image] = flags.image;
    if ((image === undefined) === (flags.from === undefined))
      throw new CommandError('either --image or --from must be specified');
    if (image !== undefined)
      return {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name },
        spec: jobSpec(name, image, 'Never', command(flags)),
        status: {},
      };
    return jobFrom(name, flags.from ?? '', session);
  },
};

async function jobFrom(name: string, from: string, session: Session): Promise<KubeObject> {
  const [type = '', cronJob = ''] = from.split('/');
  if (!/^(cronjobs?|cj)(\.batch)?$/.test(type) || cronJob === '')
    throw new CommandError(`unknown object type ${type}: only cronjob/NAME is supported`);
  const resource = { group: 'batch', version: 'v1', resource: 'cronjobs', namespaced: true };
  const source = await session.client.get<KubeObject>(resource, {
    namespace: session.namespace,
    name: cronJob,
  });
  const { jobTemplate } = source['spec'] as { readonly jobTemplate: KubeObject };
  const owner = {
    apiVersion: source.apiVersion,
    kind: source.kind,
    name: cronJob,
    uid: source.metadata.uid ?? '',
    controller: true,
  };
  const { labels, annotations } = jobTemplate.metadata ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...annotations },
      ...(labels === undefined ? {} : { labels }),
      ownerReferences: [owner],
    },
    spec: jobTemplate['spec'],
  };
}

const cronJob: MakerSettings<ImageFlags & { readonly schedule?: string; readonly restart: string }> = {
  name: 'cronjob',
  failure: 'cronjob:',
  aliases: ['cj'],
  what: 'Create a cron job with the specified name',
  examples:
    '# Every night\n%s create cronjob nightly --image=registry.example/tool:1 --schedule="0 2 * * *" -- run',
  flags: (one) =>
    one
      .addOption(repeatedOption('--image <name>', 'image name to run'))
      .option('--schedule <cron>', 'a schedule in the Cron format the job should be run with')
      .option('--restart <policy>', "job's restart policy: OnFailure or Never", 'OnFailure')
      .addOption(commandLine()),
  make: (name, flags) => {
    const [image] = flags.image;
    const missing = [
      ...(image === undefined ? ['image'] : []),
      ...(flags.schedule === undefined ? ['schedule'] : []),
    ];
    if (image === undefined || missing.length > 0)
      throw new CommandError(`required flag(s) ${missing.map((one) => `"${one}"`).join(', ')} not set`);
    return {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name },
      spec: {
        schedule: flags.schedule,
        jobTemplate: { metadata: { name }, spec: jobSpec(name, image, flags.restart, command(flags)) },
      },
      status: {},
    };
  },
};

interface ServiceFlags {
  readonly tcp: readonly string[];
  readonly clusterip?: string;
  readonly nodePort?: string;
  readonly externalName?: string;
}

function servicePorts({ tcp, nodePort }: ServiceFlags): readonly object[] {
  return tcp.map((text) => {
    const [port = '', target = port] = text.split(':');
    const number = (one: string): number => wholeNumber('tcp', one);
    return {
      name: text.includes(':') ? `${port}-${target}` : port,
      port: number(port),
      protocol: 'TCP',
      targetPort: /^\d+$/.test(target) ? number(target) : target,
      ...(nodePort === undefined || nodePort === '0' ? {} : { nodePort: wholeNumber('node-port', nodePort) }),
    };
  });
}

function serviceMaker(exit: SetExitCode): Command {
  const one = upstreamCommand('service', {
    examples: '# Inside of the cluster\n%s create service clusterip web --tcp=80:8080',
  });
  one.aliases(['svc']).description('Create a service using a specified subcommand');
  const types = [
    ['clusterip', 'ClusterIP', 'Create a ClusterIP service'],
    ['nodeport', 'NodePort', 'Create a NodePort service'],
    ['loadbalancer', 'LoadBalancer', 'Create a LoadBalancer service'],
    ['externalname', 'ExternalName', 'Create an ExternalName service'],
  ] as const;
  for (const [name, type, what] of types) {
    one.addCommand(
      maker<ServiceFlags>(exit, {
        name,
        failure: `${type} service:`,
        what,
        examples:
          type === 'ExternalName'
            ? `# Another name of a host\n%s create service ${name} web --external-name=web.example`
            : `# A port and where it leads\n%s create service ${name} web --tcp=80:8080`,
        flags: (sub) => {
          sub.addOption(listOption('--tcp <port:target>', 'port pairs'));
          if (type === 'ClusterIP')
            sub.option(
              '--clusterip <address>',
              'assign your own ClusterIP, or "None" for a headless service',
            );
          if (type === 'NodePort')
            sub.option('--node-port <port>', 'port used to expose the service on each node');
          if (type === 'ExternalName') sub.option('--external-name <host>', 'external name of service');
          return sub;
        },
        make: (service, flags) => {
          const headless = flags.clusterip === 'None' || type === 'ExternalName';
          if (flags.tcp.length === 0 && !headless)
            throw new CommandError('at least one tcp port specifier must be provided');
          if (type === 'ExternalName' && flags.externalName === undefined)
            throw new CommandError('required flag(s) "external-name" not set');
          const labels = { app: service };
          const ports = servicePorts(flags);
          return {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: service, labels },
            spec: {
              type,
              selector: labels,
              ...(ports.length === 0 ? {} : { ports }),
              ...(flags.clusterip === undefined ? {} : { clusterIP: flags.clusterip }),
              ...(flags.externalName === undefined ? {} : { externalName: flags.externalName }),
            },
            status: { loadBalancer: {} },
          };
        },
      }),
    );
  }
  return one;
}

interface IngressFlags {
  readonly class?: string;
  readonly rule: readonly string[];
  readonly defaultBackend?: string;
  readonly annotation: readonly string[];
}

function backend(text: string): object {
  const [name = '', port = ''] = text.split(':');
  if (name === '' || port === '') throw new CommandError(`${text} is no backend: expected service:port`);
  return { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } };
}

const ingress: MakerSettings<IngressFlags> = {
  name: 'ingress',
  failure: 'ingress:',
  aliases: ['ing'],
  what: 'Create an ingress with the specified name',
  examples:
    '# One host, everything below a path\n%s create ingress web --rule="shop.example/*=web:80,tls=shop-cert"',
  flags: (one) =>
    one
      .option('--class <name>', 'ingress class to be used')
      .addOption(repeatedOption('--rule <rule>', 'rule in format host/path=service:port[,tls[=secret]]'))
      .option('--default-backend <service:port>', 'default service for backend')
      .addOption(repeatedOption('--annotation <key=value>', 'annotation to insert in the ingress object')),
  make: (name, flags) => {
    if (flags.rule.length === 0 && flags.defaultBackend === undefined)
      throw new CommandError(
        'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
      );
    const rules = new Map<string, object[]>();
    const tls: object[] = [];
    for (const text of flags.rule) {
      const [, host = '', path = '', service = '', , secret] =
        /^([^/=]*)(\/[^=]*)=([^,]+)(,tls(?:=(.*))?)?$/.exec(text) ?? [];
      if (service === '')
        throw new CommandError(
          `rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`,
        );
      const prefix = path.endsWith('*');
      const entry = {
        path: prefix ? path.slice(0, -1) : path,
        pathType: prefix ? 'Prefix' : 'Exact',
        backend: backend(service),
      };
      rules.set(host, [...(rules.get(host) ?? []), entry]);
      if (/,tls/.test(text))
        tls.push({
          hosts: host === '' ? [] : [host],
          ...(secret === undefined ? {} : { secretName: secret }),
        });
    }
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name,
        ...(flags.annotation.length === 0 ? {} : { annotations: keyValues(flags.annotation, 'annotation') }),
      },
      spec: {
        ...(flags.class === undefined ? {} : { ingressClassName: flags.class }),
        ...(flags.defaultBackend === undefined ? {} : { defaultBackend: backend(flags.defaultBackend) }),
        ...(rules.size === 0
          ? {}
          : {
              rules: [...rules].map(([host, paths]) => ({
                ...(host === '' ? {} : { host }),
                http: { paths },
              })),
            }),
        ...(tls.length === 0 ? {} : { tls }),
      },
      status: { loadBalancer: {} },
    };
  },
};

const namespace: MakerSettings<object> = {
  name: 'namespace',
  aliases: ['ns'],
  what: 'Create a namespace with the specified name',
  examples: '# It is made in the members too\n%s create namespace shop',
  make: (name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {}, status: {} }),
};

function quantities(hard: readonly string[]): Record<string, string> {
  for (const text of hard)
    if (!/^[^=]+=[^=]+$/.test(text))
      throw new CommandError(`Invalid argument syntax ${text}, expected <resource>=<value>`);
  return keyValues(hard, 'resource quantity');
}

const quota: MakerSettings<{ readonly hard: readonly string[]; readonly scopes: readonly string[] }> = {
  name: 'quota',
  failure: 'quota:',
  aliases: ['resourcequota'],
  what: 'Create a quota with the specified name',
  examples: '# Limits of a namespace\n%s create quota small -n shop --hard=cpu=1,memory=1G,pods=2',
  flags: (one) =>
    one
      .addOption(
        listOption(
          '--hard <list>',
          'a comma-delimited set of resource=quantity pairs that define a hard limit',
        ),
      )
      .addOption(
        listOption(
          '--scopes <list>',
          'a comma-delimited set of quota scopes that must all match each object',
        ),
      ),
  make: (name, { hard, scopes }) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name },
    spec: {
      ...(hard.length === 0 ? {} : { hard: quantities(hard) }),
      ...(scopes.length === 0 ? {} : { scopes }),
    },
    status: {},
  }),
};

interface BudgetFlags {
  readonly selector?: string;
  readonly minAvailable?: string;
  readonly maxUnavailable?: string;
}

const budget: MakerSettings<BudgetFlags> = {
  name: 'poddisruptionbudget',
  failure: 'poddisruptionbudgets:',
  aliases: ['pdb'],
  what: 'Create a pod disruption budget with the specified name',
  examples:
    '# At least half of them\n%s create poddisruptionbudget web -n shop --selector=app=web --min-available=50%',
  flags: (one) =>
    one
      .option('--selector <selector>', 'a label selector to use for this budget')
      .option(
        '--min-available <n>',
        'the minimum number or percentage of available pods this budget requires',
      )
      .option(
        '--max-unavailable <n>',
        'the maximum number or percentage of unavailable pods this budget requires',
      ),
  make: (name, { selector, minAvailable, maxUnavailable }) => {
    if (selector === undefined) throw new CommandError('a selector must be specified');
    if (minAvailable !== undefined && maxUnavailable !== undefined)
      throw new CommandError('min-available and max-unavailable cannot be both specified');
    if (minAvailable === undefined && maxUnavailable === undefined)
      throw new CommandError('one of min-available or max-unavailable must be specified');
    const amount = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);
    return {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: {
        ...(minAvailable === undefined ? {} : { minAvailable: amount(minAvailable) }),
        ...(maxUnavailable === undefined ? {} : { maxUnavailable: amount(maxUnavailable) }),
        selector: { matchLabels: keyValues(selector.split(','), 'selector') },
      },
      status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
    };
  },
};

interface PriorityFlags {
  readonly value: string;
  readonly globalDefault?: boolean;
  readonly description?: string;
  readonly preemptionPolicy: string;
}

const priorityClass: MakerSettings<PriorityFlags> = {
  name: 'priorityclass',
  failure: 'priorityclass:',
  aliases: ['pc'],
  what: 'Create a priority class with the specified name',
  examples: '# What goes first\n%s create priorityclass high --value=1000 --description="goes first"',
  flags: (one) =>
    one
      .option('--value <n>', 'the value of this priority class', '0')
      .option('--global-default', 'whether this is the default priority')
      .option(
        '--description <text>',
        'an arbitrary string that usually provides guidelines on when this priority class should be used',
      )
      .option(
        '--preemption-policy <policy>',
        'whether pods of this class preempt others: PreemptLowerPriority or Never',
        'PreemptLowerPriority',
      ),
  make: (name, flags) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value: wholeNumber('value', flags.value),
    ...(flags.globalDefault === true ? { globalDefault: true } : {}),
    ...(flags.description === undefined ? {} : { description: flags.description }),
    preemptionPolicy: flags.preemptionPolicy,
  }),
};

export function workloadMakers(exit: SetExitCode): readonly Command[] {
  return [
    maker(exit, deployment),
    maker(exit, job),
    maker(exit, cronJob),
    serviceMaker(exit),
    maker(exit, ingress),
    maker(exit, namespace),
    maker(exit, quota),
    maker(exit, budget),
    maker(exit, priorityClass),
  ];
}
