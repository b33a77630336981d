// The commands that act on objects of the control plane, as the built program prints them.
import { after, before, describe, test } from 'node:test';
import { freePort, removeDirectory, startProduct, temporaryDirectory, type Product } from './product.ts';
import { checkTranscript } from './transcript.ts';

describe('commands on objects', () => {
  const directory = temporaryDirectory();
  let product: Product;
  const check = (transcript: string): void =>
    checkTranscript(transcript, { kubeconfig: product.kubeconfig, directory });

  before(async () => {
    product = await startProduct(directory, freePort(), '--members', '1', '--simulate', 'none');
    checkTranscript(
      `
$ printf '%s' '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}' | navarch apply -f -
namespace/shop created
$ printf '%s' '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf","labels":{"app":"web"}},"data":{"a":"1","b":"2"}}' > conf.json
`,
      { kubeconfig: product.kubeconfig, directory },
    );
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('apply declares, changes only what was declared, and says so', () =>
    check(`
$ navarch apply -f conf.json -n shop
configmap/conf created
$ navarch apply -f conf.json -n shop
configmap/conf unchanged
$ navarch patch cm conf -n shop -p '{"data":{"other":"3"}}'
configmap/conf patched
$ sed 's/,"b":"2"//; s/"a":"1"/"a":"9"/' conf.json | navarch apply -f - -n shop --dry-run=client
configmap/conf configured (dry run)
$ sed 's/,"b":"2"//; s/"a":"1"/"a":"9"/' conf.json | navarch apply -f - -n shop
configmap/conf configured
$ navarch get cm conf -n shop -o jsonpath='{.data}'
{"a":"9","other":"3"}
$ navarch apply -f conf.json -n shop --server-side --force-conflicts
configmap/conf serverside-applied
$ navarch apply -f conf.json -n shop --all-clusters --cluster member1
error: --all-clusters and --cluster cannot be used together
[exit 1]
$ navarch apply -f conf.json -n shop --cluster no-such
error: cluster no-such does not exist
[exit 1]
$ navarch apply -f conf.json -n shop --cluster member1
configmap/conf configured
propagationpolicy.policy.karmada.io/conf-7bf849b9b8 created
$ navarch get pp conf-7bf849b9b8 -n shop -o jsonpath='{.spec.resourceSelectors}{.spec.placement.clusterAffinity}'
[{"apiVersion":"v1","kind":"ConfigMap","name":"conf","namespace":"shop"}]{"clusterNames":["member1"]}
$ echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"foo":1}' | navarch apply -f - -n shop
Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"
[exit 1]
$ echo '{"apiVersion":"v1","kind":"Foo","metadata":{"name":"x"}}' | navarch apply -f -
error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "Foo" in version "v1"
ensure CRDs are installed first
[exit 1]
$ navarch apply -f nowhere.yaml
error: the path "nowhere.yaml" does not exist
[exit 1]
`));

  test('what counts as declared can be looked at, edited and set', () =>
    check(`
$ printf '%s' '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"said","labels":{"part":"pruned"}},"data":{"a":"1"}}' > said.json
$ navarch apply -f said.json -n shop
configmap/said created
$ navarch apply view-last-applied cm/said -n shop
apiVersion: v1
data:
  a: "1"
kind: ConfigMap
metadata:
  annotations: {}
  labels:
    part: pruned
  name: said
  namespace: shop
$ navarch apply view-last-applied -f said.json -n shop -o json | head -4
{
  "apiVersion": "v1",
  "data": {
    "a": "1"
$ KUBE_EDITOR="sed -i s/'a: .1.'/'b: two'/" navarch apply edit-last-applied cm said -n shop
configmap/said edited
$ navarch apply view-last-applied cm said -n shop | grep b:
  b: two
$ navarch get cm said -n shop -o jsonpath='{.data}'
{"a":"1"}
$ KUBE_EDITOR=true navarch apply edit-last-applied cm said -n shop
Edit cancelled, no changes made.
$ navarch apply set-last-applied -f said.json -n shop
configmap/said configured
$ navarch apply set-last-applied -f said.json -n shop
set-last-applied configmap/said: no changes required.
$ navarch apply view-last-applied cm said -n shop | grep ' a:'
  a: "1"
$ navarch create cm bare -n shop
configmap/bare created
$ navarch apply view-last-applied cm bare -n shop
error: no last-applied-configuration annotation found on resource: bare
[exit 1]
$ echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bare"}}' | navarch apply set-last-applied -f - -n shop
error: no last-applied-configuration annotation found on resource: bare, to create the annotation, run the command with --create-annotation
[exit 1]
$ echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bare"}}' | navarch apply set-last-applied -f - -n shop --create-annotation --dry-run=server
configmap/bare configured (server dry run)
$ echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bare"}}' | navarch apply set-last-applied -f - -n shop --create-annotation
configmap/bare configured
$ navarch apply view-last-applied
error: must provide a resource: TYPE NAME, or -f
[exit 1]
`));

  test('apply --prune deletes what is no longer declared, and nothing else', () =>
    check(`
$ navarch apply -f said.json -n shop --prune
error: all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector
[exit 1]
$ sed 's/"said"/"next"/' said.json > next.json
$ navarch create cm kept -n shop && navarch label cm kept part=pruned -n shop
configmap/kept created
configmap/kept labeled
$ navarch apply -f next.json -n shop --prune -l part=pruned --dry-run=client
configmap/next created (dry run)
configmap/said pruned (dry run)
$ navarch apply -f next.json -n shop --prune -l part=pruned --prune-allowlist core/v1/Secret
configmap/next created
$ navarch apply -f next.json -n shop --prune -l part=pruned --prune-allowlist core/v1/ConfigMap
configmap/next unchanged
configmap/said pruned
$ navarch get cm -n shop -l part=pruned -o name
configmap/kept
configmap/next
$ navarch apply -f next.json -n shop --prune -l part=pruned --server-side
error: --prune goes by what apply keeps on the client side, and not with --server-side: name what is to go to "delete"
[exit 1]
$ navarch apply -f next.json -n shop --prune --all --prune-allowlist ConfigMap
error: invalid GroupVersionKind format: ConfigMap, please follow <group/version/kind>
[exit 1]
$ navarch delete cm kept next bare -n shop
configmap "kept" deleted from shop namespace
configmap "next" deleted from shop namespace
configmap "bare" deleted from shop namespace
`));

  test('a kustomization is built by what the user has', () =>
    check(`
$ mkdir -p kustom bin && printf '%s\\n' 'apiVersion: v1' 'kind: ConfigMap' 'metadata: { name: built, namespace: shop }' > built.yaml && printf '%s\\n' '#!/bin/sh' 'cat built.yaml' > bin/kustomize && chmod +x bin/kustomize
$ PATH=$PWD/bin:$PATH navarch apply -k kustom
configmap/built created
$ PATH=$PWD/bin:$PATH navarch delete -k kustom
configmap "built" deleted from shop namespace
$ PATH=$PWD/bin:$PATH navarch apply -k kustom -f built.yaml
error: only one of -f or -k can be specified
[exit 1]
$ PATH=/nowhere navarch apply -k kustom
error: -k needs "kustomize" or "kubectl" to be installed: install one of them, or pipe the built objects into -f -
[exit 1]
`));

  test('create takes objects as they are, or after a look in the editor', () =>
    check(`
$ echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"}}' | navarch create --raw /api/v1/namespaces/shop/configmaps -f - | grep '"name"'
        "name": "raw",
$ navarch create --raw api -f conf.json
error: --raw must be a valid URL path
[exit 1]
$ navarch create --raw /api -f conf.json -f said.json
error: --raw can only use a single local file or stdin
[exit 1]
$ KUBE_EDITOR="sed -i s/said/seen/" navarch create -f said.json -n shop --edit
configmap/seen created
$ KUBE_EDITOR=true navarch create -f said.json -n shop --edit
configmap/said created
$ KUBE_EDITOR="truncate -s 0" navarch create -f said.json -n shop --edit
Edit cancelled, saved file was empty.
$ navarch delete cm raw seen said -n shop
configmap "raw" deleted from shop namespace
configmap "seen" deleted from shop namespace
configmap "said" deleted from shop namespace
`));

  test('interpret tells what scripts are given, and edits them', () =>
    check(`
$ navarch interpret --show-doc --operation ReviseReplica
ReviseReplica (spec.customizations.replicaRevision.luaScript)
    Sets the replicas that fall to one cluster.
    @param desiredObj the object as the hub wants it
    @param desiredReplica how many
    @return the object with them
    function ReviseReplica(desiredObj, desiredReplica)
      desiredObj.spec.replicas = desiredReplica
      return desiredObj
    end

$ navarch interpret --show-doc | grep -c luaScript
8
$ printf '%s\\n' 'apiVersion: config.karmada.io/v1alpha1' 'kind: ResourceInterpreterCustomization' 'metadata: { name: widgets }' 'spec:' '  target: { apiVersion: shop.example/v1, kind: Widget }' '  customizations:' '    healthInterpretation: { luaScript: "function InterpretHealth(o) return true end" }' > ric.yaml
$ printf '%s\\n' 'apiVersion: shop.example/v1' 'kind: Widget' 'metadata: { name: w }' > widget.yaml
$ navarch interpret -f ric.yaml --observed-file widget.yaml --operation InterpretHealth -o json
{
  "healthy": true
}
$ KUBE_EDITOR="sed -i 's/return true/return false/'" navarch interpret -f ric.yaml --edit
resourceinterpretercustomization.config.karmada.io/widgets edited
$ navarch interpret -f ric.yaml --observed-file widget.yaml --operation InterpretHealth
---
# [1/1] healthy:
false
$ KUBE_EDITOR=true navarch interpret -f ric.yaml --edit
Edit cancelled, no changes made.
$ KUBE_EDITOR="sed -i 's/return false/return (/'" navarch interpret -f ric.yaml --edit 2>&1 | grep -c 'healthInterpretation:'
1
$ navarch interpret -f ric.yaml --check | grep HEALTH -i
    InterpretHealth: PASS
$ navarch apply -f ric.yaml
resourceinterpretercustomization.config.karmada.io/widgets created
$ KUBE_EDITOR="sed -i 's/return false/return 1 == 1/'" navarch interpret --edit ric/widgets
resourceinterpretercustomization.config.karmada.io/widgets edited
$ navarch get ric widgets -o jsonpath='{.spec.customizations.healthInterpretation.luaScript}'
function InterpretHealth(o) return 1 == 1 end
$ navarch interpret -f ric.yaml --edit --check
error: you can't set both --check and --edit options
[exit 1]
$ navarch interpret --edit
error: --edit is for one customization: one file with -f, or the name of one of the control plane
[exit 1]
$ navarch delete ric widgets
resourceinterpretercustomization.config.karmada.io "widgets" deleted
`));

  test('get prints tables with clusters, and every output format', () =>
    check(`
$ navarch get cm conf -n shop
NAME   CLUSTER   DATA   AGE   ADOPTION
conf   Karmada   3      <age>   -
$ navarch get cm -A --field-selector metadata.name=conf --no-headers -L app
shop   conf   Karmada   3   <age>   -   web
$ navarch get cm,pp -n shop -l app=web
NAME   CLUSTER   DATA   AGE   ADOPTION
configmap/conf   Karmada   3   <age>   -
$ navarch get cm/conf ns/shop -n shop -o name
configmap/conf
namespace/shop
$ navarch get cm conf -n shop -o custom-columns=N:.metadata.name,A:.data.a,X:.data.x
N   A   X
conf   1   <none>
$ navarch get cm conf -n shop -o go-template='{{range $k, $v := .data}}{{$k}}={{$v}};{{end}}{{if .none}}y{{else}}n{{end}}'
a=1;b=2;other=3;n
$ navarch get cm conf -n shop -ojson | head -7
{
    "apiVersion": "v1",
    "data": {
        "a": "1",
        "b": "2",
        "other": "3"
    },
$ navarch get clusters member1 -o wide | sed 's/:[0-9]* /:PORT /'
NAME   CLUSTER   VERSION   MODE   READY   AGE   ZONES   REGION   PROVIDER   API-ENDPOINT   PROXY-URL   ADOPTION
member1   Karmada   v1.36.0+navarch-member   Push   True   <age>   europe-1   europe   simulation   https://127.0.0.1:PORT   <none>   -
`));

  test('what cannot be got is said as kubectl says it', () =>
    check(`
$ navarch get
You must specify the type of resource to get. Use "navarch api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "navarch explain <resource>" for a detailed description of that resource (e.g. navarch explain pods).
See 'navarch get -h' for help and examples
[exit 1]
$ navarch get cm nothing -n shop
error: cluster(Karmada): configmaps "nothing" not found
[exit 1]
$ navarch get cm conf nothing none -n shop -o name
configmap/conf
cluster(Karmada): configmaps "nothing" not found
cluster(Karmada): configmaps "none" not found
[exit 1]
$ navarch get cm nothing -n shop --ignore-not-found
$ navarch get foo
error: cluster(Karmada): the server doesn't have a resource type "foo"
[exit 1]
$ navarch get cm -n empty
No resources found in empty namespace.
$ navarch get cm -n shop --operation-scope some
error: not support OperationScope: some
[exit 1]
$ navarch get cm -n shop -s members -C x,member1,a
error: clusters don't exist: a,x
[exit 1]
$ navarch get cm -o table
error: unable to match a printer suitable for the output format "table", allowed formats are: custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml
[exit 1]
$ navarch get cm --show-labels -o json
error: --show-labels option cannot be used with json printer
[exit 1]
$ navarch get cm --output-watch-events
error: --output-watch-events option can only be used with --watch or --watch-only
[exit 1]
$ navarch get cm --al
error: unknown flag: --al
Did you mean --all-namespaces?
See 'navarch get --help' for usage.
[exit 1]
$ navarch gte cm
error: unknown command "gte" for "navarch"

Did you mean this?
	get

See 'navarch --help' for usage.
[exit 2]
$ navarch get cm --kubeconfig nowhere
navarch: there is no kubeconfig nowhere. To mend it: name another one with --kubeconfig or KUBECONFIG.
[exit 1]
`));

  test('label and annotate', () =>
    check(`
$ navarch label cm conf -n shop tier=front
configmap/conf labeled
$ navarch label cm conf -n shop tier=back
error: 'tier' already has a value (front), and --overwrite is false
[exit 1]
$ navarch label cm conf -n shop tier=back --overwrite
configmap/conf labeled
$ navarch label cm conf -n shop tier=back --overwrite
configmap/conf not labeled
$ navarch label cm conf -n shop other-
label "other" not found.
configmap/conf not labeled
$ navarch label cm -n shop -l tier=back tier- --dry-run=server
configmap/conf unlabeled (server dry run)
$ navarch label cm conf -n shop tier-
configmap/conf unlabeled
$ navarch label cm conf -n shop --list | grep -v permanent-id
app=web
$ navarch label cm conf -n shop
error: at least one label update is required
[exit 1]
$ navarch annotate cm/conf -n shop note='what for'
configmap/conf annotated
$ navarch annotate cm/conf -n shop note=else
error: --overwrite is false but found the following declared annotation(s): 'note' already has a value (what for)
[exit 1]
$ navarch annotate cm/conf -n shop note-
configmap/conf annotated
`));

  test('patch', () =>
    check(`
$ navarch patch cm conf -n shop --type json -p '[{"op":"replace","path":"/data/a","value":"7"}]'
configmap/conf patched
$ navarch patch cm conf -n shop --type merge -p 'data: {a: "7"}'
configmap/conf patched (no change)
$ navarch patch cm conf -n shop -p '{"data":{"a":"8"}}' --dry-run=server -o jsonpath='{.data.a}'
8
$ navarch patch cm conf -n shop
error: must specify --patch or --patch-file containing the contents of the patch
[exit 1]
$ navarch patch cm conf -n shop -p '{}' --type other
error: --type must be one of [json merge strategic], not "other"
[exit 1]
`));

  test('delete', () =>
    check(`
$ navarch delete cm conf -n shop --dry-run=client
configmap "conf" deleted (dry run) from shop namespace
$ navarch delete cm -n shop
error: resource(s) were provided, but no name was specified
[exit 1]
$ navarch delete -f conf.json -n shop
configmap "conf" deleted from shop namespace
$ navarch delete cm conf -n shop
Error from server (NotFound): configmaps "conf" not found
[exit 1]
$ navarch delete cm conf -n shop --ignore-not-found
$ navarch delete pp --all -n shop -o name
propagationpolicy.policy.karmada.io/conf-7bf849b9b8
$ navarch delete cm -n empty --all
No resources found
`));

  test('cordon, uncordon and taint', () =>
    check(`
$ navarch cordon member1
member1 cluster cordoned
$ navarch cordon member1
member1 cluster already cordoned
$ navarch uncordon member1 --dry-run
member1 cluster uncordoned
$ navarch uncordon member1
member1 cluster uncordoned
$ navarch cordon
error: cluster name is required
[exit 1]
$ navarch cordon a b
error: more than one cluster name is not supported
[exit 1]
$ navarch cordon no-such
Error from server (NotFound): clusters.cluster.karmada.io "no-such" not found
[exit 1]
$ navarch taint clusters member1 a=b:NoSchedule
cluster/member1 tainted
$ navarch taint clusters member1 a=c:NoSchedule
error: cluster member1 already has a taint(s) with same effect(s) and --overwrite is false
[exit 1]
$ navarch taint clusters member1 a=c:NoSchedule --overwrite
cluster/member1 modified
$ navarch taint clusters member1 a:NoSchedule- c=d:NoExecute
cluster/member1 modified
$ navarch get cluster member1 -o jsonpath='{.spec.taints}'
[{"effect":"NoExecute","key":"c","timeAdded":"<time>","value":"d"}]
$ navarch taint clusters member1 z-
error: taint "z" not found
[exit 1]
$ navarch taint clusters member1 c-
cluster/member1 untainted
$ navarch taint clusters member1 c- c=d:NoExecute
error: can not both modify and remove the following taint(s) in the same command: {"c":""}
[exit 1]
$ navarch taint clusters a=b:NoSchedule member1
error: all resources must be specified before taint changes: member1
[exit 1]
`));

  test('token', () =>
    checkTranscript(
      `
$ navarch token create --ttl 0 --description 'for the lab'
ID.SECRET
$ navarch token create --print-register-command | sed 's/register .* --token/register HOST --token/'
navarch register HOST --token ID.SECRET --discovery-token-ca-cert-hash sha256:HASH
$ navarch token list | grep -v 23h
TOKEN   TTL   EXPIRES   USAGES   DESCRIPTION   EXTRA GROUPS
ID.SECRET   <forever>   <never>   authentication,signing   for the lab   system:bootstrappers:karmada:default-cluster-token
$ navarch token delete $(navarch token list --kubeconfig "$KUBECONFIG" | awk '/23h/ {print $1}')
bootstrap token "ID" deleted
$ navarch token delete zz
error: given token didn't match pattern "\\\\A([a-z0-9]{6})\\\\z" or "\\\\A([a-z0-9]{6})\\\\z"
[exit 1]
`,
      {
        kubeconfig: product.kubeconfig,
        directory,
        masks: [
          [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, 'ID.SECRET'],
          [/sha256:[0-9a-f]{64}/g, 'sha256:HASH'],
          [/token "[a-z0-9]{6}"/g, 'token "ID"'],
        ],
      },
    ));
});
