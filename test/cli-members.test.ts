// Commands that look at members through the control plane, and those that tell about kinds and the program, as built.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  freePort,
  navarch,
  removeDirectory,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';
import { checkTranscript } from './transcript.ts';

describe('commands over the control plane and its members', () => {
  const directory = temporaryDirectory();
  let product: Product;
  const check = (transcript: string): void =>
    checkTranscript(transcript, {
      kubeconfig: product.kubeconfig,
      directory,
      env: { PROGRAM: path.resolve(import.meta.dirname, '..', 'bin', 'navarch.mjs') },
      masks: [
        [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'],
        [/\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000/g, '<long time>'],
      ],
    });

  before(async () => {
    product = await startProduct(directory, freePort(), '--members', '2', '--member-nodes', '1');
    check(`
$ navarch create namespace shop
namespace/shop created
$ echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf"},"data":{"a":"1"}}' | navarch apply -n shop -f - --cluster member1
configmap/conf created
propagationpolicy.policy.karmada.io/conf-7bf849b9b8 created
`);
    await eventually('the member has it', () =>
      navarch(
        'get',
        'cm',
        'conf',
        '-n',
        'shop',
        '-s',
        'members',
        '-C',
        'member1',
        '--kubeconfig',
        product.kubeconfig,
      ).code === 0
        ? true
        : undefined,
    );
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('get shows who has what, and who manages it', () =>
    check(`
$ navarch get cm conf -n shop --operation-scope all -C member1,member2
NAME   CLUSTER   DATA   AGE   ADOPTION
conf   Karmada   1   <age>   -
conf   member1   1   <age>   Y
error: cluster(member2): configmaps "conf" not found
[exit 1]
$ navarch get cm absent -n shop -s all 2>&1 | sort
cluster(Karmada): configmaps "absent" not found
cluster(member1): configmaps "absent" not found
cluster(member2): configmaps "absent" not found
$ navarch get nodes -s members --no-headers
member1-node-1   member1   Ready   <none>   <age>   v1.36.0   N
member2-node-1   member2   Ready   <none>   <age>   v1.36.0   N
$ navarch get cm -n shop -s members -C member1 -o name
configmap/conf
configmap/kube-root-ca.crt
$ navarch get ns shop -s members -o json | grep -c '"kind": "Namespace"'
2
$ navarch get pods -n shop -s members
No resources found in shop namespace.
$ navarch get ns shop -s members -C member1 -o jsonpath='{.metadata.name}'
shop
$ timeout 30 node $PROGRAM get cm -n shop -s members -C member1 -w --output-watch-events > watched & until grep -q conf watched; do sleep 0.1; done; navarch create cm seen -n shop --kubeconfig members/member1.kubeconfig > /dev/null; until grep -q seen watched; do sleep 0.1; done; kill %1; head -2 watched; tail -1 watched
EVENT   NAME   CLUSTER   DATA   AGE   ADOPTION
ADDED   conf   member1   1   <age>   Y
ADDED   seen   member1   0   <age>   N
`));

  test('describe, of both', () =>
    check(`
$ navarch describe cm conf -n shop -s members -C member1 | grep -v 'karmada.io/'
Name:   conf
Namespace:   shop

Data
====
a:
----
1


BinaryData
====

Events:   <none>
$ navarch describe pp conf-7bf849b9b8 -n shop | sed -n '/^Spec/,/^Events/p' | grep -v Events
Spec:
  Conflict Resolution:   Abort
  Placement:
    Cluster Affinity:
      Cluster Names:
        member1
  Preemption:   Never
  Priority:   0
  Resource Selectors:
    API Version:   v1
    Kind:   ConfigMap
    Name:   conf
    Namespace:   shop
  Scheduler Name:   default-scheduler
$ navarch describe cm nothing -n shop
Error from server (NotFound): configmaps "nothing" not found
[exit 1]
$ navarch describe cm conf -s all
error: not support operation scope: all
[exit 1]
$ navarch describe cm conf -s members
error: must specify a member cluster
[exit 1]
`));

  test('explain, api-resources and api-versions', () =>
    check(`
$ navarch explain pp.spec.placement | head -12
GROUP:      policy.karmada.io
KIND:       PropagationPolicy
VERSION:    v1alpha1

FIELD: placement <Object>


DESCRIPTION:
    Where the templates run; absent means every cluster.
    
FIELDS:
  clusterAffinities	<[]Object>
$ navarch explain pp.spec.nothing
error: field "nothing" does not exist
[exit 1]
$ navarch api-resources --api-group apps.karmada.io
NAME   SHORTNAMES   APIVERSION   NAMESPACED   KIND
workloadrebalancers      apps.karmada.io/v1alpha1   false   WorkloadRebalancer
$ navarch api-resources --api-group storage.k8s.io --verbs list -o name -s members --cluster member1 | head -2
csidrivers.storage.k8s.io
csinodes.storage.k8s.io
$ navarch api-resources --sort-by age
error: --sort-by accepts only name or kind
[exit 1]
$ navarch api-versions | grep karmada
apps.karmada.io/v1alpha1
autoscaling.karmada.io/v1alpha1
cluster.karmada.io/v1alpha1
config.karmada.io/v1alpha1
networking.karmada.io/v1alpha1
policy.karmada.io/v1alpha1
remedy.karmada.io/v1alpha1
work.karmada.io/v1alpha1
work.karmada.io/v1alpha2
`));

  test('create, from flags', () =>
    check(`
$ navarch create deployment web -n shop --image=registry.example/web:1 --replicas=2 --dry-run=client -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[0].name}'
2 web
$ navarch create secret generic s -n shop --from-literal=a=b
secret/s created
$ navarch create secret generic s -n shop --from-literal=a=b
error: failed to create secret secrets "s" already exists
[exit 1]
$ navarch create role r -n shop --verb=get,list --resource=deployments,pods/log -o jsonpath='{.rules}'
[{"apiGroups":[""],"resources":["pods/log"],"verbs":["get","list"]},{"apiGroups":["apps"],"resources":["deployments"],"verbs":["get","list"]}]
$ navarch create service clusterip web -n shop --tcp=80:8080 --dry-run=server
service/web created (server dry run)
$ navarch create job once -n shop --image=registry.example/tool:1 --dry-run=client -o jsonpath='{.spec.template.spec.containers[0].command}' -- run --flag
["run","--flag"]
$ navarch create deployment web
error: required flag(s) "image" not set
[exit 1]
$ navarch create -f nowhere
error: the path "nowhere" does not exist
[exit 1]
`));

  test('edit saves, cancels, and loses nothing', () =>
    check(`
$ KUBE_EDITOR='sed -i s/a:.*1.$/a:\\ \\"5\\"/' navarch edit cm conf -n shop
configmap/conf edited
$ navarch get cm conf -n shop -o jsonpath='{.data.a}'
5
$ KUBE_EDITOR=true navarch edit cm conf -n shop
Edit cancelled, no changes made.
$ KUBE_EDITOR='truncate -s 0' navarch edit cm conf -n shop
Edit cancelled, saved file was empty.
$ KUBE_EDITOR=false navarch edit cm conf -n shop
error: there was a problem with the editor "false" (it ended with code 1)
[exit 1]
$ KUBE_EDITOR='sed -i s/^data:/dota:/' navarch edit cm conf -n shop 2>&1 | sed 's#"/.*/edit#"FILE#' | tail -2
A copy of your changes has been stored to "FILE.yaml"
error: Edit cancelled, no valid changes were saved.
`));

  test('join and unjoin refuse in words that scripts know', () =>
    check(`
$ navarch join
error: cluster name is required
[exit 1]
$ navarch join a b
error: more than one cluster name is not supported
[exit 1]
$ navarch join member1 --cluster-kubeconfig members/member1.kubeconfig
error: the cluster ID <uid> or the cluster name member1 has been registered
[exit 1]
$ navarch join new --cluster-kubeconfig members/member1.kubeconfig --karmada-as nobody 2>&1 | cut -c1-100
Error from server (Forbidden): clusters.cluster.karmada.io is forbidden: User "nobody" cannot list r
$ navarch unjoin nothing
error: no cluster object nothing found in karmada control Plane
[exit 1]
$ echo '{"apiVersion":"config.karmada.io/v1alpha1","kind":"ResourceInterpreterCustomization","metadata":{"name":"c"},"spec":{"target":{"apiVersion":"v1","kind":"X"},"customizations":{}}}' > c.json; navarch interpret -f c.json
error: operation is not set for executing
[exit 1]
`));

  test('what needs a member says so', () =>
    check(`
$ navarch logs web
error: must specify a cluster
[exit 1]
$ navarch logs web -C member1 -n shop
Error from server (NotFound): pods "web" not found
[exit 1]
$ navarch exec web date
error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead
[exit 1]
$ navarch exec web -s members -- date
error: must specify a member cluster
[exit 1]
$ navarch attach web -n shop -s members --cluster member1 -q
Error from server (NotFound): pods "web" not found
[exit 1]
$ navarch top pod a -l b=c
error: only one of NAME or selector can be provided
[exit 1]
$ navarch top node --clusters none
error: clusters don't exist: none
[exit 1]
`));

  test('completion knows commands, flags, kinds, names and clusters', () => {
    check(`
$ navarch __complete cord ''
:0
$ navarch __complete cordo
cordon	Mark cluster as unschedulable
:4
$ navarch __complete cordon ''
member1
member2
:4
$ navarch __complete get pp -n shop ''
conf-7bf849b9b8
:4
$ navarch __complete get propagationp
propagationpolicies.policy.karmada.io
:4
$ navarch __complete get cm --operation-sc
--operation-scope	where to look: karmada, members or all
:4
$ navarch __complete get cm -C member
member1
member2
:4
$ navarch completion tcsh
error: unsupported shell type "tcsh"; choose one of: bash, zsh, fish, powershell
[exit 1]
$ navarch completion bash > bash.sh; bash -c 'source ./bash.sh; COMP_WORDS=($PROGRAM cordon m); COMP_CWORD=2; __navarch_complete; echo "\${COMPREPLY[@]}"'
member1 member2
`);
    for (const shell of ['zsh', 'fish', 'powershell'])
      assert.match(navarch('completion', shell).stdout, /__complete/);
  });

  test('version, options, and being a plugin of kubectl', () =>
    check(`
$ navarch version | sed 's/node.*, Compiler/NODE", Compiler/; s/Platform:.*/Platform/'
navarch version: version.Info{GitVersion:"v0.1.0", GitCommit:"", GitShortCommit:"", GitTreeState:"", BuildDate:"", GoVersion:"NODE", Compiler:"v8", Platform
$ navarch options | grep -c '^    [A-Z].*=true|false' | sed 's/1[0-9]/14/'
14
$ mkdir -p plugins && ln -sf $PROGRAM plugins/kubectl-karmada && PATH=$PWD/plugins:$PATH kubectl karmada get ns shop -o name
namespace/shop
$ PATH=$PWD/plugins:$PATH kubectl karmada gte
error: unknown command "gte" for "kubectl karmada"

Did you mean this?
	get

See 'kubectl karmada --help' for usage.
[exit 2]
`));
});
