// Who may approve requests for a signer, and who may sign as it: a permission of its own, besides that to write the
// subresource.
import type { CertificateSigningRequest } from '../../api/index.ts';
import { forbidden, semanticEqual, type AdmissionPlugin, type UserInfo } from '../../machinery/index.ts';
import type { Authorizer } from '../contract.ts';

const GROUP = 'certificates.k8s.io';

/** COMPAT: `example.com/*` stands for all signers of a domain. */
function mayUse(authorizer: Authorizer, user: UserInfo, verb: string, signer: string): boolean {
  const domain = `${signer.split('/', 1)[0]}/*`;
  return [signer, domain].some(
    (name) =>
      authorizer.authorize(user, {
        isResource: true,
        path: '',
        verb,
        group: GROUP,
        version: '*',
        namespace: '',
        resource: 'signers',
        subresource: '',
        name,
        rest: '',
      }).allowed,
  );
}

function plugin(
  name: string,
  verb: 'approve' | 'sign',
  subresource: string,
  authorizer: Authorizer,
): AdmissionPlugin {
  return {
    name,
    handles: (one) =>
      one.operation === 'UPDATE' &&
      one.group === GROUP &&
      one.resource === 'certificatesigningrequests' &&
      one.subresource === subresource,
    validate({ user, object, oldObject, name: requestName }) {
      const request = object as unknown as CertificateSigningRequest;
      const old = oldObject as unknown as CertificateSigningRequest;
      if (verb === 'sign') {
        const failed = (one: CertificateSigningRequest): unknown =>
          (one.status?.conditions ?? []).find(({ type }) => type === 'Failed');
        const same =
          request.status?.certificate === old.status?.certificate &&
          semanticEqual(failed(request), failed(old));
        if (same) return;
      }
      const signer = old.spec.signerName;
      if (mayUse(authorizer, user, verb, signer)) return;
      const resource = { group: GROUP, resource: 'certificatesigningrequests' };
      throw forbidden(
        resource,
        requestName,
        `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`,
      );
    },
  };
}

export function certificateSigners(authorizer: Authorizer | undefined): readonly AdmissionPlugin[] {
  if (authorizer === undefined) return [];
  return [
    plugin('CertificateApproval', 'approve', 'approval', authorizer),
    plugin('CertificateSigning', 'sign', 'status', authorizer),
  ];
}
