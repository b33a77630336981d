export { estimatorAddresses, type ServiceName } from './address.ts';
export {
  connectEstimator,
  startEstimatorServer,
  type ClientTls,
  type EstimatorCallName,
  type EstimatorConnection,
  type EstimatorServer,
  type ServerTls,
} from './grpc.ts';
export { createMemberEstimator, type MemberEstimator } from './member-estimator.ts';
