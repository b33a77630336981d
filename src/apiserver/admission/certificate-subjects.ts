// Nobody gets a client certificate of the group that may do everything, whoever would approve the request.
import type { CertificateSigningRequest } from '../../api/index.ts';
import { forbidden, type AdmissionPlugin } from '../../machinery/index.ts';
import { readSigningRequest } from '../security/certificates.ts';

const GROUP = 'certificates.k8s.io';
const SIGNER = 'kubernetes.io/kube-apiserver-client';
const MASTERS = 'system:masters';

export const certificateSubjects: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: ({ operation, group, resource, subresource }) =>
    operation === 'CREATE' &&
    group === GROUP &&
    resource === 'certificatesigningrequests' &&
    subresource === '',
  async validate({ object, name }) {
    const { spec } = object as unknown as CertificateSigningRequest;
    if (spec.signerName !== SIGNER) return;
    const pem = Buffer.from(spec.request, 'base64').toString('latin1');
    let organizations: readonly string[];
    try {
      ({ organizations } = await readSigningRequest(pem));
    } catch {
      // A request that cannot be read is never signed.
      return;
    }
    if (!organizations.includes(MASTERS)) return;
    const why = `use of ${SIGNER} signer with ${MASTERS} group is not allowed`;
    throw forbidden({ group: GROUP, resource: 'certificatesigningrequests' }, name, why);
  },
};
