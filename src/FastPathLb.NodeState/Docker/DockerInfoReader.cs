namespace FastPathLb.NodeState;

/// <summary>Reads the Swarm part of <c>docker info --format '{{json .}}'</c>.</summary>
public static class DockerInfoReader
{
    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">It is no such document.</exception>
    public static DockerInfo Parse(string text, string fileName)
    {
        IReadOnlyList<DockerInfo> found = JsonReader.ReadAll(text, fileName, json =>
        {
            JsonReader swarm = json["Swarm"];
            if (!swarm.Exists)
            {
                throw swarm.Expected("what 'docker info' says of the swarm");
            }

            // 0 is what a swarm has that was made without --data-path-port.
            int port = (int)(swarm["Cluster"]["DataPathPort"].Number(ushort.MaxValue) ?? 0);
            return new DockerInfo(swarm["NodeID"].Text(), swarm["NodeAddr"].Address(), port == 0 ? null : port);
        });
        return found.Count == 1 ? found[0] : throw new NodeStateException($"{fileName}: expected one document, found {found.Count}");
    }
}
