// The hub of this process: a control plane on files, a port and the system's clock.
import path from 'node:path';
import { fileVault, objectCodec, openCertificates, type ClusterCertificates } from '../apiserver/index.ts';
import { systemClock, systemRandom } from '../base/index.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from '../controlplane/index.ts';
import { openFileStorage, type StorageWorker } from '../storage/index.ts';
import { backupHandler } from './backup.ts';
import { estimatorOpener } from './open-estimator.ts';

export interface HubOptions extends Pick<
  ControlPlaneOptions,
  | 'settings'
  | 'allowNoExecuteTaintPolicy'
  | 'acceptLegacySpellings'
  | 'disabledAdmission'
  | 'logger'
  | 'openMember'
  | 'pathHandlers'
  | 'access'
> {
  readonly dataDirectory: string;
  readonly bindAddress: string;
  readonly port: number;
  /** `host:port` by which clients reach it; absent: where it listens. */
  readonly advertiseAddress: string | undefined;
  /** In its certificate, besides the usual ones. */
  readonly certHosts: readonly string[];
  readonly worker: StorageWorker;
}

export interface Hub extends Pick<ControlPlane, 'hubClient' | 'startControllers' | 'close'> {
  readonly url: string;
  readonly certificates: ClusterCertificates;
}

/** Serves when it resolves; controllers start separately, so that members can be there first. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const { dataDirectory } = options;
  const clock = systemClock;
  const random = systemRandom;
  const { advertiseAddress } = options;
  const advertisedHost =
    advertiseAddress === undefined ? [] : [new URL(`https://${advertiseAddress}`).hostname];
  const reopenCertificates = (): Promise<ClusterCertificates> =>
    openCertificates({
      vault: fileVault(path.join(dataDirectory, 'pki'), random),
      now: clock.now(),
      clusterName: 'karmada',
      hosts: [options.bindAddress, ...options.certHosts, ...advertisedHost],
    });
  const url = (port: number): string =>
    `https://${options.advertiseAddress ?? `${options.bindAddress}:${port}`}`;
  const openEstimator = await estimatorOpener(options.settings);
  const certificates = await reopenCertificates();
  const storage = await openFileStorage({
    directory: path.join(dataDirectory, 'store'),
    codec: objectCodec,
    worker: options.worker,
  });
  let plane: ControlPlane;
  try {
    plane = await startControlPlane({
      ...options,
      pathHandlers: [...(options.pathHandlers ?? []), backupHandler(storage, dataDirectory)],
      storage,
      clock,
      random,
      certificates,
      reopenCertificates,
      host: options.bindAddress,
      publicUrl: url,
      openEstimator,
      elapsedMs: () => performance.now(),
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
  return {
    url: url(plane.port),
    certificates,
    hubClient: plane.hubClient,
    startControllers: () => plane.startControllers(),
    async close() {
      await plane.close();
      await storage.close();
    },
  };
}
