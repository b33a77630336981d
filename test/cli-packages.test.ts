// Packages from the command line, as somebody tries them out: a control plane with three members and the catalogue that comes
// along, then a repository with what goes wrong.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
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

describe('packages', () => {
  const directory = temporaryDirectory();
  const data = path.join(directory, 'data');
  let product: Product;
  let untouched: readonly string[] = [];
  const check = (transcript: string): void =>
    checkTranscript(transcript, {
      kubeconfig: product.kubeconfig,
      directory,
      masks: [
        [/file:\/\/\S*\/catalogue/g, 'file:///CATALOGUE'],
        [/file:\/\/\S*\/bad/g, 'file:///BAD'],
        [/\b[0-9a-f]{64}\b/g, 'SHA256'],
      ],
    });
  const at = (...args: readonly string[]): string => {
    const { code, stdout, stderr } = navarch(...args, '--kubeconfig', product.kubeconfig);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  /** Everything that packages could leave behind in members; namespaces with what every namespace has stay. */
  const traces = (): readonly string[] =>
    (
      at(
        'get',
        'namespaces,crds,clusterroles,clusterrolebindings,ingressclasses',
        '-s',
        'members',
        '-o',
        'name',
      ) +
      at(
        'get',
        'all,configmaps,secrets,ingresses,packages,packageinfos,clusterpackages',
        '-A',
        '-s',
        'members',
        '-o',
        'name',
      )
    )
      .split('\n')
      .filter((line) => line !== 'namespace/team' && line !== 'configmap/kube-root-ca.crt')
      .sort();

  before(async () => {
    product = await startProduct(data, freePort(), '--members', '3', '--member-nodes', '1');
    await eventually('the members have the repository', () => {
      const found = at('get', 'packagerepositories', '-s', 'members', '-o', 'json');
      return (JSON.parse(found) as { items: { status?: { packages?: number } }[] }).items.filter(
        ({ status }) => status?.packages === 6,
      ).length === 3
        ? true
        : undefined;
    });
    untouched = traces();
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });
  const nothingIsLeft = async (): Promise<void> => {
    let left = '';
    await eventually('nothing is left behind', () => {
      const now = traces();
      left = now.filter((line) => !untouched.includes(line)).join(', ');
      return now.join() === untouched.join() ? true : undefined;
    }).catch(() => assert.fail(`left behind: ${left}`));
  };

  test('what there is, and what is meant by a misspelt name', () =>
    check(`
$ navarch package repo list
NAME   URL   DEFAULT   AUTHENTICATION   STATUS   MESSAGE
navarch   file:///CATALOGUE   Yes   none   Ready
$ navarch package search cache
NAME   LATEST VERSION   SCOPE   REPOSITORY   DESCRIPTION
cache   v8.1.0+1   Namespaced   navarch   An in-memory cache of your own, in any namespace, as often as you like
shop   v1.1.0+1   Namespaced   navarch   A small shop that brings its own cache and stands behind the gateway
$ navarch package list gateway
NAME      VERSION   AUTO-UPDATE   SUSPENDED   REPOSITORY   CLUSTERS   STATUS
gateway   navarch   Not installed
$ navarch package install gatway --yes
error: no package "gatway" is in the repositories
Did you mean this?
	gateway
[exit 1]
$ navarch package instal gateway
error: unknown command "instal" for "navarch package"

Did you mean this?
	install

See 'navarch package --help' for usage.
[exit 2]
$ navarch package install gateway --no-progress
error: "Go on?" There is nobody to ask; add --yes to go on.
[exit 1]
$ navarch package install gateway --version 9 --yes
error: package "gateway" has no version 9; it has v1.2.0+1, v1.3.0+1
[exit 1]
$ navarch package install gateway -n shop --yes
error: package "gateway" is installed once in the cluster, and not in a namespace; leave out -n
[exit 1]
$ navarch package install gateway --clusters nowhere --yes
error: clusters don't exist: nowhere
[exit 1]
$ navarch package install whoami --yes
error: value "host": required
Set values with --value name=...; "package describe whoami" shows which there are.
[exit 1]
$ navarch package install whoami --value host=WHO --value tier=huge --value colour=red --yes
error: value "colour": package "whoami" has no such value; it has greeting, host, maxUnavailable, replicas, tier, verbose
error: value "host": "WHO" does not match ^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
error: value "tier": "huge" is none of small, medium, large
Set values with --value name=...; "package describe whoami" shows which there are.
[exit 1]
`));

  test('installed in three members with what it needs, configured, updated, uninstalled, and nothing left', async () => {
    check(`
$ navarch package plan gateway --version 1.2.0 --clusters member1
clusterpackage/gateway: gateway v1.2.0+1
In member1:
  + clusterpackage/certificates: certificates v1.17.0+2
  + ConfigMap gateway/gateway
  + Namespace gateway
  + Service gateway/gateway
  + Deployment gateway/gateway
  + IngressClass gateway
$ navarch package install gateway --version 1.2.0 --yes --no-progress
clusterpackage/gateway installed
$ navarch package install gateway --yes
error: clusterpackage/gateway is installed already, as gateway v1.2.0+1; use "package update" for another version, "package configure" for other values
[exit 1]
$ navarch package list -i
NAME   VERSION   AUTO-UPDATE   SUSPENDED   REPOSITORY   CLUSTERS   STATUS
gateway   v1.2.0+1 (v1.3.0+1 available)   Disabled   No   navarch   3/3   Ready
$ navarch package list -i -C member2
NAME   VERSION   AUTO-UPDATE   SUSPENDED   REPOSITORY   STATUS
certificates   v1.17.0+2   Disabled   No   navarch   Ready
gateway   v1.2.0+1 (v1.3.0+1 available)   Disabled   No   navarch   Ready
$ navarch package configure gateway --value replicas=3 --yes --no-progress
clusterpackage/gateway configured
$ navarch get deployments -n gateway -s members
NAME   CLUSTER   READY   UP-TO-DATE   AVAILABLE   AGE   ADOPTION
gateway   member1   3/3   3   3   <age>   N
gateway   member2   3/3   3   3   <age>   N
gateway   member3   3/3   3   3   <age>   N
$ navarch package configure gateway --value replicas=3 --yes
clusterpackage/gateway is configured like this already
$ navarch package update --dry-run --no-progress
clusterpackage/gateway would be updated to v1.3.0+1 (dry run)
$ navarch package update --yes --no-progress
clusterpackage/gateway updated to v1.3.0+1
$ navarch package update
Everything is up to date.
$ navarch package update gateway --version 1.2.0 --yes
error: clusterpackage/gateway has v1.3.0+1, and v1.2.0+1 is no update of it; what is installed is never moved back
[exit 1]
$ navarch package list -i -o name
clusterpackage.packages.glasskube.dev/gateway
$ navarch package list -i -o yaml
apiVersion: packages.glasskube.dev/v1alpha1
kind: ClusterPackage
metadata:
  name: gateway
spec:
  packageInfo:
    name: gateway
    repositoryName: navarch
    version: v1.3.0+1
  values:
    replicas:
      value: "3"
$ navarch package uninstall certificates -C member1 --yes --no-progress
error: clusterpackage/certificates cannot be uninstalled: gateway needs certificates, which is not installed; uninstall what needs it first
[exit 1]
$ navarch package uninstall gateway --yes --no-progress
clusterpackage/gateway uninstalled
$ navarch package list -i
There are no such packages.
`);
    await nothingIsLeft();
  });

  test('in one member: a package that lives in namespaces, twice in one, with a value from a Secret', async () => {
    check(`
$ navarch package install cache left -n team -C member1 --yes --no-progress
namespace/team created
package/team/left installed
$ navarch package install cache right -n team -C member1 --value memory=1gb --value 'password=$SecretRef$team,login,word' --no-wait --yes --no-progress
package/team/right created
$ navarch package list -i -n team -C member1 -o name
package.packages.glasskube.dev/left
package.packages.glasskube.dev/right
$ navarch package uninstall right -n team -C member1 --yes --no-progress
package/team/right uninstalled
$ navarch package uninstall left -n team -C member1 --yes --no-progress
package/team/left uninstalled
`);
  });

  test('in waves; the second fails, the roll-out stops by itself, and goes on when it is told to', async () => {
    check(`
$ navarch package install whoami --value host=who.example.org --version 1.10.3 --waves member1,member2 --progress-deadline 60s --yes --no-progress
clusterpackage/whoami installed
$ navarch fault member2 fail-images --namespace whoami
ID   WHAT
pods-1   images cannot be pulled: pods of namespace whoami
$ navarch package update whoami --no-wait --yes --no-progress
clusterpackage/whoami updated to v1.11.0+1
`);
    await eventually('the second wave is under way', () => {
      const { stdout } = navarch(
        'package',
        'rollout',
        'status',
        'whoami',
        '--kubeconfig',
        product.kubeconfig,
      );
      return /member2 +Updating/.test(stdout) ? true : undefined;
    });
    // It is late from now on, however fast this machine is.
    at(
      'patch',
      'clusterfleetpackage',
      'whoami',
      '--type',
      'merge',
      '-p',
      '{"spec":{"rollout":{"progressDeadline":"1s"}}}',
    );
    await eventually('it has stopped', () => {
      const { stdout } = navarch(
        'package',
        'rollout',
        'status',
        'whoami',
        '--kubeconfig',
        product.kubeconfig,
      );
      return /^Halted/m.test(stdout) ? true : undefined;
    });
    check(`
$ navarch package rollout status whoami | cut -c1-50 | sed 's/ *$//'
clusterpackage/whoami: whoami v1.11.0+1
Halted: wave 2 of 3: member2 failed
waits for "navarch package rollout continue"
CLUSTER   PHASE     SENT        HAS         SINCE
member1   Healthy   v1.11.0+1   v1.11.0+1   <age>
member2   Failed    v1.11.0+1   v1.11.0+1   <age>
member3   Pending   v1.10.3+1   v1.10.3+1   <age>
$ navarch fault member2 clear
Nothing is wrong with member2.
$ navarch patch clusterfleetpackage whoami --type merge -p '{"spec":{"rollout":{"progressDeadline":"60s"}}}'
clusterfleetpackage.navarch.io/whoami patched
$ navarch package rollout continue whoami --yes --wait --no-progress
the roll-out of clusterpackage/whoami goes on
clusterpackage/whoami rolled out
$ navarch package list -i
NAME   VERSION   AUTO-UPDATE   SUSPENDED   REPOSITORY   CLUSTERS   ROLL-OUT   STATUS
whoami   v1.11.0+1   Disabled   No   navarch   3/3   Completed   Ready
$ navarch package rollout continue whoami --yes
error: the roll-out of clusterpackage/whoami waits for nobody: 3 of 3 clusters are healthy at v1.11.0+1
[exit 1]
$ navarch package uninstall whoami --yes --no-progress
clusterpackage/whoami uninstalled
`);
    await nothingIsLeft();
  });

  test('where a fleet is partly suspended, nobody waits for the clusters that are', async () => {
    check(`
$ navarch package install whoami --value host=a.example.org --version 1.10.3 --yes --no-progress
clusterpackage/whoami installed
$ navarch suspend cluster/member3
Cluster member3 suspended, until it is resumed: nothing is written to it, and nothing new is scheduled to it
$ navarch package configure whoami --value host=b.example.org --yes --no-progress
clusterpackage/whoami configured; member3 is suspended, and takes it when it is resumed
$ navarch package suspend whoami -C member2
clusterpackage/whoami suspended
`);
    await eventually('the hub knows', () =>
      at('package', 'list', '-i').includes('1 of 3') ? true : undefined,
    );
    check(`
$ navarch package update whoami --queue --yes --no-progress
clusterpackage/whoami updated to v1.11.0+1; member2, member3 are suspended, and take it when they are resumed
$ navarch get ingresses -n whoami -s members -o name
ingress.networking.k8s.io/whoami
ingress.networking.k8s.io/whoami
ingress.networking.k8s.io/whoami
$ navarch package resume whoami -C member2 --yes --no-progress
clusterpackage/whoami resumed and ready
$ navarch resume cluster/member3 --yes >out 2>&1
$ navarch package configure whoami --value replicas=2 --yes --no-progress
clusterpackage/whoami configured
$ navarch package uninstall whoami --yes --no-progress
clusterpackage/whoami uninstalled
`);
    await nothingIsLeft();
  });

  test('uninstalled, and everything that it brought stays', async () => {
    check(`
$ navarch package install gateway --version 1.2.0 --yes --no-progress
clusterpackage/gateway installed
$ navarch suspend cluster/member3 >out 2>&1
$ navarch package uninstall gateway --orphan --yes --no-progress
error: clusterpackage/gateway cannot be uninstalled like this: member3 cannot be told to keep what it brought while dispatching there is suspended; resume that first, or leave --orphan out
[exit 1]
$ navarch resume cluster/member3 --yes >out 2>&1
$ navarch package uninstall gateway --orphan --dry-run --no-progress
clusterpackage/gateway would be uninstalled; what it brought stays (dry run)
$ navarch package uninstall gateway --orphan --yes --no-progress
clusterpackage/gateway uninstalled; what it brought stays
$ navarch package list -i
There are no such packages.
$ navarch package list -i -C member1
NAME   VERSION   AUTO-UPDATE   SUSPENDED   REPOSITORY   STATUS
certificates   v1.17.0+2   Disabled   No   navarch   Ready
$ navarch get deployments -n gateway -s members
NAME   CLUSTER   READY   UP-TO-DATE   AVAILABLE   AGE   ADOPTION
gateway   member1   2/2   2   2   <age>   N
gateway   member2   2/2   2   2   <age>   N
gateway   member3   2/2   2   2   <age>   N
$ navarch get namespaces,deployments,services,ingressclasses -A -s members -l app.kubernetes.io/managed-by=glasskube -o name | sort -u
deployment.apps/certificates
namespace/certificates
service/certificates-webhook
`);
    for (const member of ['member1', 'member2', 'member3']) {
      at('package', 'uninstall', 'certificates', '-C', member, '--yes');
      at('delete', 'namespace', 'gateway', '--karmada-context', member);
      at('delete', 'ingressclass', 'gateway', '--karmada-context', member);
    }
    await nothingIsLeft();
  });

  test('what is wrong with a repository or a package is said, and nothing is half-installed', async () => {
    const bad = path.join(directory, 'bad');
    const write = (file: string, text: string): void => {
      mkdirSync(path.dirname(path.join(bad, file)), { recursive: true });
      writeFileSync(path.join(bad, file), text);
    };
    const names = ['chicken', 'egg', 'needy', 'tampered'];
    write(
      'index.yaml',
      `packages:\n${names.map((name) => `  - {name: ${name}, latestVersion: v1.0.0}\n`).join('')}`,
    );
    for (const name of names) {
      write(`${name}/versions.yaml`, 'latestVersion: v1.0.0\nversions: [{version: v1.0.0}]\n');
      write(`${name}/v1.0.0/objects.yaml`, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`);
    }
    const manifest = (name: string, more: string, sha = ''): void =>
      write(
        `${name}/v1.0.0/package.yaml`,
        `name: ${name}\ndefaultNamespace: ${name}\nmanifests:\n  - url: objects.yaml\n${sha}${more}`,
      );
    manifest('chicken', 'dependencies: [{name: egg}]\n');
    manifest('egg', 'dependencies: [{name: chicken}]\n');
    manifest('needy', 'dependencies: [{name: certificates, version: ">=9"}]\n');
    manifest('tampered', '', `    sha256: ${'a'.repeat(64)}\n`);
    check(`
$ navarch package repo add bad ${pathToFileURL(bad).href} --no-progress
packagerepository/bad added
$ navarch package install chicken --yes --no-progress 2>&1 | sed 's/member[123], //g'
error: clusterpackage/chicken cannot be installed: member3: no version of egg in repository bad will do for chicken (chicken wants any): v1.0.0: egg -> chicken -> egg is a circle; publish one that does, or change what is wanted
$ navarch package install needy --yes --no-progress
error: clusterpackage/needy cannot be installed: member1, member2, member3: no version of certificates in repository navarch will do for needy (needy wants ">=9"): v1.17.0+2 is not in ">=9", which needy wants; v1.17.0+1 is not in ">=9", which needy wants; v1.16.2+1 is not in ">=9", which needy wants; publish one that does, or change what is wanted
[exit 1]
$ navarch package install tampered --yes --no-progress
error: objects.yaml of package "tampered" v1.0.0 is not what repository "bad" declares: its SHA-256 is SHA256, and should be SHA256; have the repository put right, or take another version
[exit 1]
$ navarch package repo add gone file:///nowhere/at/all
packagerepository/gone added
$ navarch package search chicken
Warning: repository "gone" cannot be used: file:///nowhere/at/all/index.yaml: there is no such file
NAME   LATEST VERSION   SCOPE   REPOSITORY   DESCRIPTION
chicken   v1.0.0   Cluster   bad
$ navarch package repo delete gone --yes
packagerepository/gone deleted
$ navarch package repo delete bad --yes
packagerepository/bad deleted
$ navarch package repo delete navarc --yes
error: there is no repository "navarc"
Did you mean this?
	navarch
[exit 1]
$ navarch package check bad
error: needy/v1.0.0: needs certificates, which is not in this repository
error: tampered/v1.0.0: the SHA-256 of objects.yaml is SHA256, and not what package.yaml says
[exit 1]
`);
    await nothingIsLeft();
  });
});
