using System.Globalization;

namespace FastPathLb.Topology;

/// <summary>Draws a swarm: a column a node, a band a network, and an arrow from each virtual address to each of its tasks.</summary>
/// <remarks>
/// Within a cell the tasks stand left and the load balancer right: so arrows of the first node go left to its own tasks, and right, over
/// the
/// underlay, to those of the others.
/// </remarks>
public sealed class TopologyDrawing
{
    private const int LabelHeadHeight = 36;
    private const int LabelLineHeight = 17;
    private const int Margin = 24;
    private const int LabelWidth = 170;
    private const int ColumnWidth = 480;
    private const int ColumnGap = 56;
    private const int HeaderHeight = 62;
    private const int TitleHeight = 64;
    private const int PortHeight = 46;
    private const int TaskWidth = 150;
    private const int TaskHeight = 40;
    private const int TaskGap = 10;
    private const int BalancerWidth = 236;
    private const int BalancerHeadHeight = 40;
    private const int ServiceHeight = 38;
    private const int CellPadding = 14;
    private const int BandGap = 14;
    private const int ChipHeight = 24;
    private const int UnderlayHeight = 48;
    private const int LegendHeight = 40;
    private const int FrameWidth = 8;

    private static readonly string[] s_serviceColors = ["#1667b7", "#b3541e", "#2e7d32", "#7b1fa2", "#00838f", "#ad1457", "#5d4037"];
    private static readonly SvgFont s_title = new(20, IsBold: true);
    private static readonly SvgFont s_small = new(11, "#5a6272");
    private static readonly SvgFont s_label = new(13, IsBold: true);
    private static readonly SvgFont s_mono = new(12, IsMono: true);

    private readonly SwarmTopology _swarm;
    private readonly Dictionary<string, string> _colors = new(StringComparer.Ordinal);
    private readonly List<(TopologyNetwork Network, int Top, int Height)> _bands = [];
    private readonly int _portsHeight;
    private readonly int _height;

    private TopologyDrawing(SwarmTopology swarm)
    {
        _swarm = swarm;
        foreach (TopologyService service in swarm.Networks.SelectMany(network => network.Services))
        {
            _colors.TryAdd(service.Name, s_serviceColors[_colors.Count % s_serviceColors.Length]);
        }

        _portsHeight = swarm.Ports.Count == 0 ? 0 : (swarm.Ports.Count * PortHeight) + BandGap;
        int top = Margin + TitleHeight + HeaderHeight + BandGap + _portsHeight;
        foreach (TopologyNetwork network in swarm.Networks)
        {
            int height = HeightOf(network);
            _bands.Add((network, top, height));
            top += height + BandGap;
        }

        _height = top + UnderlayHeight + LegendHeight + Margin;
    }

    private int Width => Margin + BandWidth + Margin;

    // A little wider than the last column.
    private int BandWidth => LabelWidth + (_swarm.Nodes.Count * (ColumnWidth + ColumnGap)) - ColumnGap + (2 * FrameWidth);

    /// <summary>Writes the picture as an SVG document.</summary>
    public static void Write(SwarmTopology swarm, TextWriter output) => new TopologyDrawing(swarm).Draw(output);

    private static string Of(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Of(uint number) => number.ToString("x", CultureInfo.InvariantCulture);

    private static int ColumnOf(int node) => Margin + LabelWidth + (node * (ColumnWidth + ColumnGap));

    private void Draw(TextWriter output)
    {
        using SvgCanvas canvas = new(output, Width, _height, $"The swarm as {_swarm.Nodes[0].Name} knows it");
        canvas.Text(Margin, Margin + 20, $"The swarm as {_swarm.Nodes[0].Name} knows it", s_title);
        canvas.Text(Margin, Margin + 42, "Which address is whose, and where a call of a service's virtual address (VIP) goes.", s_small);
        for (int node = 0; node < _swarm.Nodes.Count; node++)
        {
            DrawNode(canvas, node);
        }

        DrawPorts(canvas);
        foreach ((TopologyNetwork network, int top, int height) in _bands)
        {
            canvas.Box(Margin, top, BandWidth, height, network.Driver == "overlay" ? "#eef4fb" : "#f4f2ea", "#c9d3e0");
            DrawLabel(canvas, network, top);
        }

        DrawPortArrows(canvas);
        foreach ((TopologyNetwork network, int top, _) in _bands)
        {
            DrawArrows(canvas, network, top);
            DrawCells(canvas, network, top);
        }

        DrawUnderlay(canvas);
        DrawLegend(canvas);
    }

    private void DrawNode(SvgCanvas canvas, int index)
    {
        TopologyNode node = _swarm.Nodes[index];
        int x = ColumnOf(index);
        int top = Margin + TitleHeight;
        canvas.Box(x - FrameWidth, top, ColumnWidth + (2 * FrameWidth), _height - top - LegendHeight - Margin + 4, "#fbfbfc", "#9aa4b2");
        canvas.Box(x - FrameWidth, top, ColumnWidth + (2 * FrameWidth), HeaderHeight, node.IsSelf ? "#27364a" : "#56637a", "none");
        canvas.Text(x + 8, top + 26, node.Name, new SvgFont(17, "#ffffff", IsBold: true), 34);
        string[] facts =
        [
            node.IsSelf ? "these files are its own" : $"as {_swarm.Nodes[0].Name} sees it",
            node.ManagerStatus.Length > 0 ? $"manager, {node.ManagerStatus}" : node.Id.Length > 0 ? "worker" : "",
            node.Status is "" or "Ready" ? "" : node.Status,
            node.Availability is "" or "Active" ? "" : node.Availability,
            node.EngineVersion.Length > 0 ? $"Docker {node.EngineVersion}" : "",
        ];
        canvas.Text(x + 8, top + 47, string.Join(" · ", facts.Where(fact => fact.Length > 0)), new SvgFont(11, "#dfe6ee"), 72);
    }

    private void DrawPorts(SvgCanvas canvas)
    {
        int top = Margin + TitleHeight + HeaderHeight + BandGap;

        // The mesh's below, where the arrows to its network begin.
        PublishedPort[] ports = [.. _swarm.Ports.OrderBy(port => port.Mode == "ingress")];
        for (int index = 0; index < ports.Length; index++)
        {
            PublishedPort port = ports[index];
            int y = top + (index * PortHeight);
            canvas.Text(Margin + 12, y + 18, "published port", s_label);
            canvas.Text(Margin + 12, y + 33, port.Mode == "ingress" ? "open on every node" : "open where a task runs", s_small);
            for (int node = 0; node < _swarm.Nodes.Count; node++)
            {
                if (port.Mode != "ingress" && !RunsOn(port.Service, _swarm.Nodes[node]))
                {
                    continue;
                }

                int x = ColumnOf(node) + ColumnWidth - BalancerWidth;
                canvas.Box(x, y, BalancerWidth, PortHeight - 8, "#fff6e5", _colors.GetValueOrDefault(port.Service, "#8a6d3b"));
                string protocol = port.Protocol.ToString().ToLowerInvariant();
                canvas.Text(x + 10, y + 16, $":{Of(port.Published)}/{protocol} on the node", s_mono, 30);
                string target = port.Target == 0 ? port.Service : $"{port.Service}, port {Of(port.Target)} of a task";
                canvas.Text(x + 10, y + 31, target, s_small, 38);
            }
        }
    }

    private bool RunsOn(string service, TopologyNode node) =>
        _swarm.Networks.SelectMany(network => network.Services).Where(item => item.Name == service)
            .Any(item => item.Tasks.Any(task => IsOn(task, node)));

    // A call of a published port goes to the ingress network's load balancer.
    private void DrawPortArrows(SvgCanvas canvas)
    {
        if (_bands.FindIndex(band => band.Network.IsIngress) is int at and >= 0 && _swarm.Ports.Any(port => port.Mode == "ingress"))
        {
            int from = Margin + TitleHeight + HeaderHeight + _portsHeight - 8;
            for (int node = 0; node < _swarm.Nodes.Count; node++)
            {
                canvas.VerticalArrow(ColumnOf(node) + ColumnWidth - (BalancerWidth / 2), from, BalancerTop(_bands[at].Top), "#8a6d3b");
            }
        }
    }

    private static void DrawLabel(SvgCanvas canvas, TopologyNetwork network, int top)
    {
        int x = Margin + 12;
        int y = top + 24;
        canvas.Text(x, y, network.Name, new SvgFont(15, IsBold: true), 16);
        foreach ((string text, SvgFont font) in LabelsOf(network))
        {
            y += LabelLineHeight;
            canvas.Text(x, y, text, font);
        }
    }

    private static IEnumerable<(string Text, SvgFont Font)> LabelsOf(TopologyNetwork network)
    {
        string[] facts =
        [
            $"{network.Subnet}",
            network.Vni is { } vni ? $"VNI {vni}" : "",
            network.MtuBytes is { } mtu ? $"MTU {Of(mtu)}" : "",
        ];
        string kind = network.IsIngress ? "routing mesh" : network.Driver == "overlay" ? "" : "bridge to the host";
        string[] flags = [kind, network.IsEncrypted ? "encrypted" : "", network.IsDirectReturn ? "direct return" : ""];
        return
        [
            .. facts.Where(fact => fact.Length > 0).Select(fact => (fact, s_mono)),
            .. flags.Where(flag => flag.Length > 0).Select(flag => (flag, s_small)),
        ];
    }

    private int HeightOf(TopologyNetwork network)
    {
        if (network.Driver != "overlay")
        {
            return Math.Max(84, (((network.Others.Count + 1) / 2) * (ChipHeight + 6)) + (2 * CellPadding));
        }

        int tasks = _swarm.Nodes.Max(node => TasksOn(network, node).Count);
        int column = (tasks * (TaskHeight + TaskGap)) - TaskGap;
        int balancer = BalancerHeadHeight + (network.Services.Count(service => service.VirtualAddress is not null) * ServiceHeight);
        int label = LabelHeadHeight + (LabelLineHeight * LabelsOf(network).Count());
        return Math.Max(Math.Max(110, label), Math.Max(column, balancer) + (2 * CellPadding));
    }

    /// <summary>A service's tasks on a node, then the endpoints of no service.</summary>
    private static List<(TopologyTask Task, string? Service)> TasksOn(TopologyNetwork network, TopologyNode node)
    {
        List<(TopologyTask, string?)> tasks = [];
        foreach (TopologyService service in network.Services)
        {
            tasks.AddRange(service.Tasks.Where(task => IsOn(task, node)).Select(task => (task, (string?)service.Name)));
        }

        tasks.AddRange(network.Others.Where(task => IsOn(task, node)).Select(task => (task, (string?)null)));
        return tasks;
    }

    private static bool IsOn(TopologyTask task, TopologyNode node) => task.Node is null ? node.IsSelf : task.Node == node.Name;

    private static int TaskTop(int bandTop, int index) => bandTop + CellPadding + (index * (TaskHeight + TaskGap));

    private static int BalancerTop(int bandTop) => bandTop + CellPadding;

    private static int ServiceMiddle(int bandTop, int index) => BalancerTop(bandTop) + BalancerHeadHeight + (index * ServiceHeight)
        + (ServiceHeight / 2) - 3;

    private void DrawArrows(SvgCanvas canvas, TopologyNetwork network, int top)
    {
        int balancerLeft = ColumnOf(0) + ColumnWidth - BalancerWidth;
        int line = -1;
        foreach (TopologyService service in network.Services.Where(service => service.VirtualAddress is not null))
        {
            line++;
            for (int column = 0; column < _swarm.Nodes.Count; column++)
            {
                List<(TopologyTask Task, string? Service)> tasks = TasksOn(network, _swarm.Nodes[column]);
                for (int row = 0; row < tasks.Count; row++)
                {
                    if (tasks[row].Service != service.Name || tasks[row].Task.Weight is null)
                    {
                        continue;
                    }

                    int y = TaskTop(top, row) + (TaskHeight / 2);
                    bool isLocal = column == 0;
                    canvas.Arrow(
                        isLocal ? balancerLeft : balancerLeft + BalancerWidth,
                        ServiceMiddle(top, line),
                        isLocal ? ColumnOf(0) + TaskWidth : ColumnOf(column),
                        y,
                        tasks[row].Task.Weight == 0 ? "#b0b6bf" : _colors[service.Name],
                        isDashed: !isLocal);
                }
            }
        }
    }

    private void DrawCells(SvgCanvas canvas, TopologyNetwork network, int top)
    {
        for (int column = 0; column < _swarm.Nodes.Count; column++)
        {
            TopologyNode node = _swarm.Nodes[column];
            int x = ColumnOf(column);
            if (network.Driver != "overlay")
            {
                DrawChips(canvas, network, node, x, top);
                continue;
            }

            List<(TopologyTask Task, string? Service)> tasks = TasksOn(network, node);
            for (int row = 0; row < tasks.Count; row++)
            {
                (TopologyTask task, string? service) = tasks[row];
                bool isByName = network.Services.Any(item => item.Name == service && item.VirtualAddress is null);
                DrawTask(canvas, task, service, isByName, x, TaskTop(top, row));
            }

            if (network.Balancers.FirstOrDefault(balancer => balancer.Node == node.Name) is { } own)
            {
                DrawBalancer(canvas, network, own, x + ColumnWidth - BalancerWidth, BalancerTop(top));
            }
        }
    }

    private void DrawTask(SvgCanvas canvas, TopologyTask task, string? service, bool isByName, int x, int y)
    {
        string color = service is null ? "#7a8496" : _colors[service];
        canvas.Box(x, y, TaskWidth, TaskHeight, "#ffffff", color);
        bool hasName = task.Name != task.Address.ToString();
        canvas.Text(x + 10, y + 16, hasName ? task.Name : service ?? "endpoint", new SvgFont(12, color, IsBold: true), 17);
        canvas.Text(x + 10, y + 32, task.Address.ToString(), s_mono);
        if (isByName)
        {
            canvas.Text(x + TaskWidth - 8, y + 32, "dnsrr", new SvgFont(10, "#7a8496", Anchor: "end"));
        }

        if (task.Weight is { } weight and not 1)
        {
            canvas.Text(x + TaskWidth - 8, y + 16, $"weight {Of(weight)}", new SvgFont(10, "#b3261e", Anchor: "end"));
        }
    }

    private void DrawBalancer(SvgCanvas canvas, TopologyNetwork network, BalancerEndpoint own, int x, int y)
    {
        TopologyService[] services = [.. network.Services.Where(service => service.VirtualAddress is not null)];
        int lines = own.IsSelf ? services.Length : 1;
        canvas.Box(x, y, BalancerWidth, BalancerHeadHeight + (lines * ServiceHeight), "#ffffff", "#27364a");
        canvas.Text(x + 10, y + 17, network.IsIngress ? "ingress sandbox" : "load balancer", s_label);
        canvas.Text(x + 10, y + 33, own.Address.ToString(), s_mono);
        if (!own.IsSelf)
        {
            canvas.Text(x + 10, y + BalancerHeadHeight + 16, "the same VIPs, by marks of its own", s_small);
            return;
        }

        for (int index = 0; index < services.Length; index++)
        {
            TopologyService service = services[index];
            int line = y + BalancerHeadHeight + (index * ServiceHeight);
            canvas.Box(x + 6, line, BalancerWidth - 12, ServiceHeight - 6, "#f3f7fc", _colors[service.Name], 4);
            canvas.Text(x + 14, line + 14, service.Name, new SvgFont(12, _colors[service.Name], IsBold: true), 13);
            canvas.Text(x + BalancerWidth - 14, line + 14, $"VIP {service.VirtualAddress}", new SvgFont(12, IsMono: true, Anchor: "end"));
            string mark = service.Fwmark is { } value ? $"mark 0x{Of(value)}, {service.Scheduler ?? "no IPVS service"}" : "no mark";
            canvas.Text(x + 14, line + 27, mark, new SvgFont(11, service.Scheduler is null ? "#b3261e" : "#5a6272"), 34);
        }
    }

    private static void DrawChips(SvgCanvas canvas, TopologyNetwork network, TopologyNode node, int x, int top)
    {
        TopologyTask[] ends = [.. network.Others.Where(task => IsOn(task, node))];
        for (int index = 0; index < ends.Length; index++)
        {
            int width = (ColumnWidth - 10) / 2;
            int left = x + ((index % 2) * (width + 10));
            int y = top + CellPadding + ((index / 2) * (ChipHeight + 6));
            canvas.Box(left, y, width, ChipHeight, "#ffffff", "#b8b09a", 4);
            canvas.Text(left + 8, y + 16, ends[index].Address.ToString(), s_mono);
            canvas.Text(left + width - 8, y + 16, ends[index].Name, new SvgFont(11, "#5a6272", Anchor: "end"), 18);
        }
    }

    private void DrawUnderlay(SvgCanvas canvas)
    {
        int y = _height - Margin - LegendHeight - UnderlayHeight;
        canvas.Box(Margin, y, BandWidth, UnderlayHeight - 8, "#e4e7ec", "#9aa4b2");
        canvas.Text(Margin + 12, y + 18, "underlay", s_label);
        int? port = _swarm.Networks.Select(network => network.VxlanPort).FirstOrDefault(value => value is not null);
        canvas.Text(Margin + 12, y + 33, port is { } known ? $"VXLAN on UDP {Of(known)}" : "VXLAN", s_small);
        for (int node = 0; node < _swarm.Nodes.Count; node++)
        {
            string address = _swarm.Nodes[node].Address?.ToString() ?? "address not known";
            canvas.Text(ColumnOf(node) + (ColumnWidth / 2), y + 25, address, new SvgFont(14, IsBold: true, IsMono: true, Anchor: "middle"));
        }
    }

    private void DrawLegend(SvgCanvas canvas)
    {
        int y = _height - Margin - 12;
        int x = Margin + 12;
        canvas.Arrow(x, y - 4, x + 46, y - 4, "#27364a", false);
        canvas.Text(x + 56, y, "to a task on the same node", s_small);
        canvas.Arrow(x + 250, y - 4, x + 296, y - 4, "#27364a", true);
        canvas.Text(
            x + 306, y,
            "to a task on another node, in VXLAN; to either, the load balancer's address stands in for the client's"
            + (_swarm.Networks.Any(network => network.IsDirectReturn) ? ", but where it says direct return" : ""), s_small);
    }
}
