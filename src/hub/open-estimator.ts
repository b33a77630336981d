// How the hub reaches estimators that stand beside members: in the clear or over TLS, as the flags of
// karmada-scheduler say.
import { OperatingError } from '../base/index.ts';
import type { ControllerSettings, OpenEstimator } from '../controllers/index.ts';
import { connectEstimator, type ClientTls } from '../estimator/index.ts';
import { readPem } from './pem.ts';

/** Reads the files that the flags name. Throws OperatingError for what cannot be used. */
export async function estimatorOpener(settings: ControllerSettings): Promise<OpenEstimator> {
  const tls = await readTls(settings);
  return (cluster, address) => connectEstimator(cluster, address, tls);
}

async function readTls(settings: ControllerSettings): Promise<ClientTls | undefined> {
  const {
    schedulerEstimatorCaFile: caFile,
    schedulerEstimatorCertFile: certFile,
    schedulerEstimatorKeyFile: keyFile,
    insecureSkipEstimatorVerify: insecureSkipVerify,
  } = settings;
  if ((certFile === '') !== (keyFile === '')) {
    throw new OperatingError(
      'BAD_FLAG',
      '--scheduler-estimator-cert-file and --scheduler-estimator-key-file belong together',
      'give both, or neither',
    );
  }
  if (caFile === '' && !insecureSkipVerify) {
    if (certFile === '') return undefined;
    throw new OperatingError(
      'BAD_FLAG',
      '--scheduler-estimator-cert-file is of no use in the clear',
      'give --scheduler-estimator-ca-file too, or --insecure-skip-estimator-verify',
    );
  }
  return {
    authority: caFile === '' ? undefined : await readPem('scheduler-estimator-ca-file', caFile),
    identity:
      certFile === ''
        ? undefined
        : {
            certificate: await readPem('scheduler-estimator-cert-file', certFile),
            key: await readPem('scheduler-estimator-key-file', keyFile),
          },
    insecureSkipVerify,
  };
}
