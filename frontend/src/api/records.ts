/** The records of the API under short names; the shapes are generated into schema.d.ts. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Cast = Schemas["Cast"];
export type CastAction = "cancel" | "pause" | "resume" | "retry";
export type CastMode = Schemas["CastMode"];
export type CastPage = Schemas["CastPage"];
export type CastRequest = Schemas["CastRequest"];
export type CastState = Schemas["CastState"];
export type CastTarget = Schemas["CastTarget"];
export type Changes = Schemas["Changes"];
export type ChangesMessage = Schemas["ChangesMessage"];
export type Cluster = Schemas["Cluster"];
export type ClusterState = Schemas["ClusterState"];
export type ConnectionType = Schemas["ConnectionType"];
export type ConnectRequest = Schemas["ConnectRequest"];
export type DirectoryListing = Schemas["DirectoryListing"];
export type Discovered = Schemas["Discovered"];
export type FeedMessage = Schemas["FeedMessage"];
export type FileStatus = Schemas["FileStatus"];
export type HeartbeatMessage = Schemas["HeartbeatMessage"];
export type IfExists = Schemas["IfExists"];
export type Load = Schemas["Load"];
export type MonitorKind = Schemas["MonitorKind"];
export type MonitorStats = Schemas["MonitorStats"];
export type MonitorView = Schemas["MonitorView"];
export type Node = Schemas["Node"];
export type NodeState = Schemas["NodeState"];
export type Notice = Schemas["Notice"];
export type NoticeType = Schemas["NoticeType"];
export type Problem = Schemas["Problem"];
export type ReasonCode = Schemas["ReasonCode"];
export type Session = Schemas["Session"];
export type SourceReport = Schemas["SourceReport"];
export type Uploaded = Schemas["Uploaded"];
export type WorkStatus = Schemas["WorkStatus"];
