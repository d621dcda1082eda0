namespace FastPathLb.NodeState;

/// <summary>Reads <c>docker inspect</c> of containers and of tasks; both may stand in one file.</summary>
public static class DockerContainerReader
{
    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">It is no such inspect.</exception>
    public static (IReadOnlyList<DockerContainer> Containers, IReadOnlyList<DockerTask> Tasks) Parse(string text, string fileName)
    {
        List<DockerContainer> containers = [];
        List<DockerTask> tasks = [];
        JsonReader.ReadAll(text, fileName, json =>
        {
            if (json["ServiceID"].Exists)
            {
                tasks.Add(ReadTask(json));
            }
            else
            {
                containers.Add(ReadContainer(json));
            }

            return true;
        });
        return (containers, tasks);
    }

    private static DockerContainer ReadContainer(JsonReader json)
    {
        JsonReader labels = json["Config"]["Labels"];
        List<DockerContainerEndpoint> endpoints = [];
        foreach ((string name, JsonReader endpoint) in json["NetworkSettings"]["Networks"].Members())
        {
            endpoints.Add(new DockerContainerEndpoint(
                name,
                endpoint["NetworkID"].Text(),
                endpoint["IPAddress"].Address(),
                (int)(endpoint["IPPrefixLen"].Number(32) ?? 32),
                endpoint["MacAddress"].Mac(),
                endpoint["Aliases"].Texts()));
        }

        return new DockerContainer
        {
            Id = json["Id"].RequiredText(),
            Name = json["Name"].RequiredText().TrimStart('/'),
            HostName = json["Config"]["Hostname"].Text(),
            IsRunning = json["State"]["Running"].Flag(),
            SandboxKey = json["NetworkSettings"]["SandboxKey"].Text(),
            ServiceName = labels["com.docker.swarm.service.name"].Text(),
            ServiceId = labels["com.docker.swarm.service.id"].Text(),
            TaskName = labels["com.docker.swarm.task.name"].Text(),
            TaskId = labels["com.docker.swarm.task.id"].Text(),
            NodeId = labels["com.docker.swarm.node.id"].Text(),
            Endpoints = endpoints,
        };
    }

    private static DockerTask ReadTask(JsonReader json)
    {
        List<DockerVirtualAddress> addresses = [];
        foreach (JsonReader attachment in json["NetworksAttachments"].Items())
        {
            foreach (JsonReader item in attachment["Addresses"].Items())
            {
                if (item.Prefix() is { } address)
                {
                    addresses.Add(new DockerVirtualAddress(attachment["Network"]["ID"].Text(), address.Address, address.Length));
                }
            }
        }

        return new DockerTask(
            json["ID"].RequiredText(),
            json["ServiceID"].Text(),
            json["NodeID"].Text(),
            (int)(json["Slot"].Number() ?? 0),
            json["Status"]["State"].Text(),
            json["DesiredState"].Text(),
            addresses);
    }
}
