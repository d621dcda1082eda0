namespace FastPathLb.NodeState;

/// <summary>Reads the hand-written YAML configuration; the README of this project is its reference.</summary>
public static class LbConfigReader
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="NodeStateException">The file cannot be read or is wrong; the message says line and column.</exception>
    public static NodeState Read(string path) => Parse(TextFile.Read(path), path);

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">The text is wrong; the message says line and column.</exception>
    public static NodeState Parse(string text, string fileName)
    {
        YamlNode root = YamlTree.Load(text, fileName)
            ?? throw new NodeStateException($"{fileName}: there is nothing in this configuration");
        YamlFields fields = new(
            root,
            "the configuration",
            ["node", "overlay", "lb", "services", "vteps", "sysctls", "timeouts", "rules", "namespaces"]);
        NamespaceSection[] sections =
        [
            .. YamlFields.Entries(fields["namespaces"]).Select(entry => LbConfigNamespaceReader.Read(entry.Key, entry.Value)),
        ];
        LbConfig config = new()
        {
            Node = LbConfigSectionReader.ReadNode(fields["node"]),
            Overlay = LbConfigSectionReader.ReadOverlay(fields["overlay"]),
            Balancer = LbConfigSectionReader.ReadBalancer(fields["lb"]),
            Services = LbConfigServiceReader.ReadAll(fields["services"]),
            Vteps = LbConfigSectionReader.ReadVteps(fields["vteps"]),
            Sysctls = LbConfigSectionReader.ReadSysctls(fields["sysctls"]),
            Timeouts = LbConfigSectionReader.ReadTimeouts(fields["timeouts"]),
            Rules =
            [
                .. YamlFields.Entries(fields["rules"]).Select(entry => (
                    YamlFields.OneOf(entry.Key, "table", "mangle", "nat", "filter", "raw"),
                    (IReadOnlyList<DumpLine>)LbConfigNamespaceReader.Lines(entry.Value))),
            ],
        };
        Check(config, fields, sections);
        return LbConfigExpander.Expand(config, sections, fileName);
    }

    // What no single value shows to be wrong.
    private static void Check(LbConfig config, YamlFields fields, IReadOnlyList<NamespaceSection> sections)
    {
        if (config.Balancer is null)
        {
            if (!sections.Any(section => section.Interfaces is not null))
            {
                throw fields.Place.Problem("the configuration must have 'lb' with the load balancer's address");
            }

            foreach (string key in (string[])["services", "sysctls", "timeouts", "rules"])
            {
                if (fields[key] is { } node)
                {
                    throw node.Place.Problem($"'{key}' is about the load balancer: add 'lb' with its address");
                }
            }
        }

        if (config.Overlay is null && config.Vteps.Count > 0)
        {
            throw fields.PlaceOf("vteps").Problem("'vteps' is about the tunnel: add 'overlay' with its VNI");
        }

        int index = 0;
        foreach (ServiceSection service in config.Services)
        {
            if (service.Address is { } vip && vip == config.Balancer?.Address.Address)
            {
                throw YamlFields.Items(fields["services"])[index].Place.Problem($"VIP {vip} is the load balancer's own address");
            }

            index++;
        }
    }
}
