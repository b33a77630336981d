import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestedSubject } from '../housekeeping/index.ts';
import { agentApproval } from './agent-approval.ts';

const USAGES = ['digital signature', 'key encipherment', 'client auth'];
const agent: RequestedSubject = {
  commonName: 'system:karmada:agent:m1',
  organizations: ['system:karmada:agents'],
  hosts: [],
  otherNames: 0,
};

const cases: readonly {
  readonly name: string;
  readonly subject?: Partial<RequestedSubject>;
  readonly usages?: readonly string[];
  readonly signer?: string;
  readonly expected: boolean;
}[] = [
  { name: 'an agent', expected: true },
  { name: 'an agent without key encipherment', usages: ['client auth', 'digital signature'], expected: true },
  { name: 'the one that prepares the rights of agents', subject: { commonName: 'system:karmada:agent:rbac-generator' }, expected: true },
  { name: 'a name that is no agent', subject: { commonName: 'system:admin' }, expected: false },
  { name: 'another organization', subject: { organizations: ['system:masters'] }, expected: false },
  { name: 'a second organization', subject: { organizations: ['system:karmada:agents', 'system:masters'] }, expected: false },
  { name: 'no organization', subject: { organizations: [] }, expected: false },
  { name: 'a host in it', subject: { hosts: ['m1'] }, expected: false },
  { name: 'an e-mail address or URI in it', subject: { otherNames: 1 }, expected: false },
  { name: 'a serving certificate', usages: [...USAGES, 'server auth'], expected: false },
  { name: 'no client authentication', usages: ['digital signature', 'key encipherment'], expected: false },
  { name: 'no usages', usages: [], expected: false },
  { name: "a kubelet's signer", signer: 'kubernetes.io/kube-apiserver-client-kubelet', expected: false },
]; // prettier-ignore

for (const { name, subject, usages, signer, expected } of cases) {
  test(`requests of agents: ${name}`, () => {
    const request = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'm1-x' },
      spec: {
        request: '',
        signerName: signer ?? 'kubernetes.io/kube-apiserver-client',
        usages: usages ?? USAGES,
      },
    };
    assert.equal(agentApproval.matches(request, { ...agent, ...subject }), expected);
  });
}
