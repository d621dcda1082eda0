namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>What may happen in a simulated Swarm.</summary>
public enum ActKind
{
    ClientSyn,
    ServerSynAck,
    ClientAck,
    ServerAck,
    ClientFin,
    ServerFin,
    ClientRst,
    ServerRst,
    ClientDatagram,
    ServerDatagram,
    Wait,
    ChangeWeight,
    RemoveServer,
    AddServer,
}
