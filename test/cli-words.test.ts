// Command lines of every shape, as the built program takes them: flags anywhere, what is too much, what is misspelt, what is
// wrong with a kubeconfig; and the forms of kubectl's commands that few people use.
import { after, before, describe, test } from 'node:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  freePort,
  navarch,
  program,
  removeDirectory,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';
import { checkTranscript } from './transcript.ts';

const OBJECTS = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'registry.example/web:1' }] },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf', namespace: 'shop', labels: { app: 'web' } },
    data: { key: 'value' },
  },
];

describe('command lines', () => {
  const directory = temporaryDirectory();
  let product: Product;
  const check = (transcript: string, env: Readonly<Record<string, string>> = {}): void =>
    checkTranscript(transcript, { kubeconfig: product.kubeconfig, directory, env });

  before(async () => {
    product = await startProduct(directory, freePort(), '--members', '2', '--packages=false');
    writeFileSync(
      path.join(directory, 'web.json'),
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: OBJECTS }),
    );
    check(`
$ navarch create ns shop
namespace/shop created
`);
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('flags mean the command, wherever they stand', () =>
    check(`
$ navarch create -n shop cm early --from-literal=a=b
configmap/early created
$ navarch -n shop get cm early -o name
configmap/early
$ navarch --kubeconfig "$KUBECONFIG" -v 4 -o name get clusters
cluster.cluster.karmada.io/member1
cluster.cluster.karmada.io/member2
$ navarch token --kubeconfig /nowhere list
navarch: there is no kubeconfig /nowhere. To mend it: name another one with --kubeconfig or KUBECONFIG.
[exit 1]
$ navarch create token default --dry-run
error: unknown flag: --dry-run
See 'navarch create token --help' for usage.
[exit 1]
`));

  test('what is too much, too little or misspelt is refused, with the code of those who are asked', () =>
    check(`
$ navarch token create surplus
error: unknown command "surplus" for "navarch token create"
See 'navarch token create --help' for usage.
[exit 1]
$ navarch api-resources surplus
error: unexpected arguments: [surplus]
See 'navarch api-resources -h' for help and examples
[exit 1]
$ navarch version surplus | cut -c1-24
navarch version: version
$ navarch interpret -f web.json --operation nothing 2>&1 | cut -c1-42; exit \${PIPESTATUS[0]}
error: operation nothing is not supported.
[exit 1]
$ navarch why
error: missing required argument 'type/name'
See 'navarch why --help' for usage.
[exit 2]
$ navarch doctor -o nothing
error: option '-o, --output <format>' argument 'nothing' is invalid. Allowed choices are table, json
See 'navarch doctor --help' for usage.
[exit 2]
$ navarch gte
error: unknown command "gte" for "navarch"

Did you mean this?
	get

See 'navarch --help' for usage.
[exit 2]
$ navarch help gte 2>&1 | head -1
error: unknown command "gte" for "navarch"
$ navarch token | head -1 | cut -c1-23
Manage bootstrap tokens
$ navarch addons > /dev/null
$ navarch top 2> /dev/null
[exit 1]
$ navarch settings | head -1
apiVersion: config.navarch.io/v1alpha1
`));

  test('a plugin of kubectl names itself so', () => {
    const bin = path.join(directory, 'bin');
    mkdirSync(bin);
    symlinkSync(program, path.join(bin, 'kubectl-karmada'));
    checkTranscript(
      `
$ kubectl-karmada get
You must specify the type of resource to get. Use "kubectl karmada api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "kubectl karmada explain <resource>" for a detailed description of that resource (e.g. kubectl karmada explain pods).
See 'kubectl karmada get -h' for help and examples
[exit 1]
$ kubectl-karmada describe
error: You must specify the type of resource to describe. Use "kubectl karmada api-resources" for a complete list of supported resources.
[exit 1]
`,
      {
        kubeconfig: product.kubeconfig,
        directory,
        env: { PATH: `${bin}:${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
      },
    );
  });

  test('get: what is printed of several clusters, and what is refused', () =>
    check(`
$ navarch apply -f web.json --all-clusters > /dev/null
$ until navarch get cm conf -n shop -s members -o name > /dev/null 2>&1; do sleep 0.1; done
$ navarch get cm conf -n shop -s all -o jsonpath='{.metadata.name} '
conf conf conf
$ navarch get cm conf -n shop -s all -o custom-columns=NAME:.metadata.name
NAME
conf
conf
conf
$ navarch get cm -l 'app=(' -n shop
error: cluster(Karmada): Unable to find "v1, Resource=configmaps" that match label selector "app=(", field selector "": unable to parse requirement: found '(', expected: identifier
[exit 1]
$ navarch get cm conf -n shop -o jsonpath='{.nothing}' --allow-missing-template-keys=false
error: error executing jsonpath "{.nothing}": Error executing template: nothing is not found
[exit 1]
$ navarch get cm -n shop -o jsonpath-file=nowhere
error: error reading --template nowhere, open nowhere: no such file or directory
[exit 1]
$ navarch top pod absent -n shop -C member1
error: cluster(member1): podmetrics.metrics.k8s.io "shop/absent" not found
[exit 1]
$ navarch describe cm con -n shop --show-events=false | tail -3 | cat -A | tail -2
$
$
`));

  test('a member that cannot be reached hides nothing of the others', () =>
    check(`
$ navarch member fault member2 api-server-down > /dev/null
$ navarch get cm conf -n shop -s all 2> said; echo $?; cut -d, -f1 said
NAME   CLUSTER   DATA   AGE   ADOPTION
conf   Karmada   1      <age>    -
conf   member1   1      <age>    Y
1
error: cluster(member2): basic connection test to cluster(member2) failed
$ navarch get cm conf -n shop -s members -o json 2> /dev/null | grep -c items
1
$ navarch get cm conf -n shop -s all -w > seen 2> said & until grep -q member1 seen; do sleep 0.1; done; kill $!; cat seen; cut -c1-24 said
NAME   CLUSTER   DATA   AGE   ADOPTION
conf   Karmada   1      <age>    -
conf   member1   1      <age>    Y
error: cluster(member2): 
$ navarch top node 2>&1 | grep -c member1-node
3
$ navarch member fault member2 clear > /dev/null
`));

  test('create makes what kubectl makes', () =>
    check(`
$ navarch create cm x --from-literal=b=2 --from-literal=a=1 --append-hash --dry-run=client -o name
configmap/x-dt66bfkbgh
$ navarch create cm x --append-hash --dry-run=client -o name
configmap/x-62ctbmbfd2
$ navarch create secret generic s --type=foo --append-hash --dry-run=client -o name
secret/s-c27k8gmg6c
$ navarch create job j --image=registry.example/tool:1 --dry-run=client -o yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: j
spec:
  template:
    metadata: {}
    spec:
      containers:
      - image: registry.example/tool:1
        name: j
        resources: {}
      restartPolicy: Never
status: {}
$ navarch create quota q --hard=bogus --dry-run=client
error: Invalid argument syntax bogus, expected <resource>=<value>
[exit 1]
$ navarch create pdb p --selector=app=web --min-available=1 --max-unavailable=1
error: min-available and max-unavailable cannot be both specified
[exit 1]
$ navarch create clusterrole r --verb=use --non-resource-url=/x
error: invalid verb: 'use' for nonResourceURL
[exit 1]
$ navarch create secret tls s --cert=web.json --key=web.json
error: tls: failed to find any PEM data in certificate input
[exit 1]
$ navarch create sa robot -n nowhere
error: failed to create serviceaccount: namespaces "nowhere" not found
[exit 1]
$ navarch create cm -n shop
error: exactly one NAME is required, got 0
See 'navarch create configmap -h' for help and examples
[exit 1]
$ navarch create -f web.json -l app=nothing
error: no objects passed to create
[exit 1]
`));

  test('label, annotate and patch, without a server too', () =>
    check(`
$ navarch create cm marked -n shop
configmap/marked created
$ navarch label cm marked -n shop a=b
configmap/marked labeled
$ navarch label cm marked -n shop a=b
configmap/marked not labeled
$ navarch label cm marked -n shop a=c
error: 'a' already has a value (b), and --overwrite is false
[exit 1]
$ navarch label cm marked -n shop a=c a-
error: can not both modify and remove a label in the same command
[exit 1]
$ navarch label -f web.json tier=front --local
deployment.apps/web labeled
configmap/conf labeled
$ navarch annotate -f web.json tier=front --local -o jsonpath='{.metadata.annotations}'
{"tier":"front"}{"tier":"front"}
$ navarch label cm marked a=b --local
error: can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set
[exit 1]
$ navarch patch -f web.json --local -p '{"metadata":{"labels":{"tier":"front"}}}' -o jsonpath='{.metadata.labels} '
{"app":"web","tier":"front"} {"app":"web","tier":"front"}
$ navarch patch -f web.json --local --type=json -p '[{"op":"remove","path":"/metadata/labels"}]' -o yaml | grep -c -e ---
1
$ navarch patch cm marked -n shop --type=json -p '[{"op":"replace","path":"/data/x","value":"1"}]' 2>&1 | cut -c1-24
The request is invalid: 
`));

  test('delete asks when it is to ask, and takes a path', () =>
    check(`
$ navarch create cm doomed -n shop
configmap/doomed created
$ echo n | navarch delete cm doomed -n shop -i
You are about to delete the following 1 resource(s):
configmap/doomed
Do you want to continue? (y/n): deletion is cancelled
$ echo y | navarch delete cm doomed -n shop -i | tail -1
Do you want to continue? (y/n): configmap "doomed" deleted from shop namespace
$ navarch delete --raw /api/v1/namespaces/shop/configmaps/doomed
Error from server (NotFound): configmaps "doomed" not found
[exit 1]
$ navarch delete --raw api/v1
error: --raw must be a valid URL path
[exit 1]
`));

  test('apply --force makes anew what cannot be changed, and puts back what cannot be made', () =>
    check(`
$ printf '%s' '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"fixed","namespace":"shop"},"immutable":true,"stringData":{"a":"1"}}' > fixed.json
$ navarch apply -f fixed.json
secret/fixed created
$ sed 's/"a":"1"/"a":"2"/' fixed.json | navarch apply -f - 2>&1 | head -1 | cut -c1-31
The Secret "fixed" is invalid: 
$ sed 's/"a":"1"/"a":"2"/' fixed.json | navarch apply -f - --force
secret/fixed configured
$ navarch get secret fixed -n shop -o jsonpath='{.data.a}' | base64 -d
2
$ sed 's/"immutable":true,/"immutable":true,"type":"kubernetes.io\\/tls",/' fixed.json | navarch apply -f - --force 2>&1 | tail -1
The existing object was successfully restored.
$ navarch get secret fixed -n shop -o jsonpath='{.data.a}' | base64 -d
2
$ navarch apply -f fixed.json --force --server-side
error: --force cannot be used with --server-side
[exit 1]
$ navarch apply -f fixed.json --validate=bogus --dry-run=client
error: invalid - validate option "bogus"; must be one of: strict (or true), warn, ignore (or false)
[exit 1]
$ navarch apply -f web.json -l app=nothing
error: no objects passed to apply
[exit 1]
`));

  test('explain in its older layout', () =>
    check(`
$ navarch explain pp.spec.placement.clusterTolerations -o plaintext-openapiv2 | head -12
KIND:     PropagationPolicy
VERSION:  policy.karmada.io/v1alpha1

RESOURCE: clusterTolerations <[]Object>

DESCRIPTION:
     Taints of clusters that are accepted.

     Accepts taints of clusters that match it.

FIELDS:
   effect\t<string>
$ navarch explain nothing -o plaintext-openapiv2
the server doesn't have a resource type "nothing"
[exit 1]
$ navarch explain pp -o html
error: the output format html is not supported: use one of plaintext, plaintext-openapiv2
[exit 1]
`));

  test('a kubeconfig that does not serve is named, with what to do', () => {
    const file = (name: string, ...changes: readonly string[]): void => {
      const args = changes.flatMap((one) => ['-e', one]).map((one) => `'${one}'`);
      check(`
$ sed ${args.join(' ')} "$KUBECONFIG" > ${name}
`);
    };
    file('closed', 's#server: .*#server: https://127.0.0.1:1#');
    file('unnamed', 's#https://127.0.0.1#https://nowhere.invalid#');
    file('stranger', 's#client-certificate-data: .*#token: nonsense#', '/client-key-data/d');
    check(`
$ navarch get ns --kubeconfig closed
The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?
[exit 1]
$ navarch backup b.tar.gz --kubeconfig closed
Asking the control plane for a backup ...
The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?
[exit 1]
$ navarch apply -f web.json --kubeconfig closed
The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?
[exit 1]
$ navarch get ns --kubeconfig unnamed 2>&1 | sed 's/.*To mend it/To mend it/'
To mend it: check the host name, DNS and the network route to the API server
$ navarch get ns --kubeconfig stranger
error: You must be logged in to the server (Unauthorized): renew the credentials in the kubeconfig, or name another one with --kubeconfig
[exit 1]
$ navarch doctor --kubeconfig stranger | grep 'To mend'
   To mend it: the control plane runs but does not know your credentials: renew those in the kubeconfig, or name another kubeconfig with --kubeconfig
$ KUBECONFIG=nowhere:$KUBECONFIG navarch get ns shop -o name
namespace/shop
$ navarch get ns --karmada-context nowhere 2>&1 | sed 's/.*nowhere/nowhere/'
nowhere". To mend it: choose one of: karmada-apiserver, member1, member2.
`);
  });
});

test('no server is needed to be told how a command is called', () => {
  const { code, stdout } = navarch('get', '--help');
  if (code !== 0 || !stdout.includes('custom-columns, custom-columns-file'))
    throw new Error(`get --help ended with ${code} and does not name its formats:\n${stdout}`);
});
