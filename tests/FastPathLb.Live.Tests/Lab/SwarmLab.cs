using System.Net;
using System.Net.Sockets;
using System.Text;
using FastPathLb.Wire;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>
/// A client and two web servers in namespaces of their own on one overlay network, and a namespace <c>lb</c> with a place for the load
/// balancer: on the overlay's bridge, or, where the network is a tunnel, on the underlay's.
/// </summary>
internal sealed class SwarmLab : IDisposable
{
    public const string VirtualAddress = "10.0.1.2";
    public const string OneServerAddress = "10.0.1.7";
    public const string BalancerAddress = "10.0.1.5";
    public const int Mark = 0x100;
    private const int EnvelopeBytes = 50;

    private static readonly (string Name, string Address, string Vtep)[] s_hosts =
    [
        ("client", "10.0.1.8", "172.19.0.8"), ("web1", "10.0.1.3", "172.19.0.3"), ("web2", "10.0.1.4", "172.19.0.4"),
    ];

    private readonly List<WebServer> _servers = [];
    private readonly int _mtu;

    /// <param name="isTunnel">Whether hosts are joined by the kernel's vxlan devices, and not by a bridge.</param>
    /// <param name="mtu">MTU of the overlay in bytes.</param>
    /// <param name="isVeth">Whether the load balancer gets a veth end <c>lb0</c> in a namespace of its own, and not a TAP on the bridge.</param>
    /// <param name="queues">Receive queues of the load balancer's veth end, and of all ends before it: which one a flow comes to, its sender's hash says.</param>
    public SwarmLab(bool isTunnel = false, int mtu = 1450, bool isVeth = false, int queues = 1)
    {
        string ends = queues == 1 ? "" : $" numrxqueues {queues} numtxqueues {queues}";
        _mtu = mtu;
        IsTunnel = isTunnel;
        IsVeth = isVeth;
        Lab.AddNamespace("lb");
        Lab.Ip("lb", "link add br0 type bridge forward_delay 0");
        Lab.Ip("lb", $"link set br0 mtu {UnderlayMtu} up");
        foreach ((string name, string address, string vtep) in s_hosts)
        {
            Lab.AddNamespace(name);
            string port = $"p-{name}";
            Lab.Ip("lb", $"link add {port}{ends} type veth peer name eth0{ends} netns {Lab[name]}");
            Lab.Ip("lb", $"link set {port} mtu {UnderlayMtu} master br0 up");
            if (isTunnel)
            {
                AddTunnel(name, address, vtep);
            }
            else
            {
                Lab.Ip(name, $"link set eth0 address {MacOf(address)} mtu {mtu} up");
                Lab.Ip(name, $"addr add {address}/24 dev eth0");
            }
        }

        if (isVeth)
        {
            Lab.AddNamespace("lb2");
            Lab.Ip("lb", $"link add p-lb{ends} type veth peer name lb0{ends} netns {Lab["lb2"]}");
            Lab.Ip("lb", $"link set p-lb mtu {UnderlayMtu} master br0 up");
            Lab.Ip("lb2", $"link set lb0 mtu {UnderlayMtu} up");

            // What the kernel would leave to a card: on a veth there is none.
            foreach (string[] end in (string[][])[Lab.In("lb", "ethtool", "-K", "p-lb"), Lab.In("lb2", "ethtool", "-K", "lb0")])
            {
                Shell.Run([.. end, "tx", "off", "tso", "off", "gso", "off", "gro", "off"]);
            }
        }
    }

    public NetworkLab Lab { get; } = new();

    public TemporaryFolder Folder { get; } = new();

    public bool IsTunnel { get; }

    public bool IsVeth { get; }

    public string ConfigPath => Folder["lb.yaml"];

    private int UnderlayMtu => IsTunnel ? _mtu + EnvelopeBytes : _mtu;

    /// <summary>A configuration of this network's load balancer.</summary>
    /// <param name="services">Lines of further services.</param>
    /// <param name="servers">The servers of the first service.</param>
    /// <param name="rest">Further sections.</param>
    public string Config(string services = "", string servers = "[10.0.1.3, 10.0.1.4]", string rest = "")
    {
        StringBuilder text = new();
        if (IsTunnel)
        {
            text.AppendLine($"node: {{ address: 172.19.0.5/24, mtu: {UnderlayMtu} }}");
            text.AppendLine("overlay: { vni: 4097, proxy: false }");
            text.AppendLine("vteps:");
            foreach ((string _, string address, string vtep) in s_hosts)
            {
                text.AppendLine($"  - {{ address: {vtep}, endpoints: [{address}] }}");
            }
        }

        text.AppendLine($"lb: {{ address: {BalancerAddress}/24, mtu: {_mtu} }}");
        text.AppendLine("services:");
        text.AppendLine($"  - {{ name: web, vip: {VirtualAddress}, servers: {servers} }}");
        text.AppendLine($"  - {{ name: one, vip: {OneServerAddress}, servers: [10.0.1.3] }}");
        text.Append(services);
        text.Append(rest);
        return text.ToString();
    }

    /// <summary>Web servers on both hosts.</summary>
    public void ServeWeb()
    {
        _servers.Add(new WebServer(Lab, "web1", "web1"));
        _servers.Add(new WebServer(Lab, "web2", "web2"));
    }

    /// <summary>Starts the load balancer and connects it.</summary>
    public BalancerProcess StartBalancer(string device = "--tap", params string[] options)
    {
        if (!File.Exists(ConfigPath))
        {
            Folder.Write("lb.yaml", Config());
        }

        string name = IsVeth ? "lb0" : "tap0";
        BalancerProcess balancer = BalancerProcess.Start(
            Lab, IsVeth ? "lb2" : "lb", Folder.Path,
            [device, name, "--config", ConfigPath, "--attach", IsTunnel ? "underlay" : "overlay", .. options]);
        if (!IsVeth)
        {
            Lab.Ip("lb", "link set tap0 master br0");
        }

        return balancer;
    }

    /// <summary>Runs curl at the client.</summary>
    public string Curl(string path = "/", string address = VirtualAddress) =>
        Shell.Run(Lab.In("client", "curl", "-sS", "--fail", "--max-time", "10", $"http://{address}{path}"));

    /// <summary>Opens a connection from the client.</summary>
    public Socket Connect(string address = VirtualAddress, int port = 80) => Lab.Within("client", () =>
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000, SendTimeout = 10_000 };
        socket.Connect(IPAddress.Parse(address), port);
        return socket;
    });

    public void Dispose()
    {
        foreach (WebServer server in _servers)
        {
            server.Dispose();
        }

        Lab.Dispose();
        Folder.Dispose();
    }

    /// <summary>The hardware address that Docker gives an address.</summary>
    private static MacAddress MacOf(string address) => MacAddress.FromDocker(Ipv4Address.Parse(address));

    private void AddTunnel(string name, string address, string vtep)
    {
        Lab.Ip(name, $"link set eth0 mtu {UnderlayMtu} up");
        Lab.Ip(name, $"addr add {vtep}/24 dev eth0");
        Lab.Ip(name, $"link add vx0 address {MacOf(address)} type vxlan id 4097 dstport 4789 local {vtep} dev eth0");
        Lab.Ip(name, $"link set vx0 mtu {_mtu} up");
        Lab.Ip(name, $"addr add {address}/24 dev vx0");

        // Everybody reaches the load balancer, which answers ARP for itself and its virtual addresses through the tunnel.
        Shell.Run("bridge", "-n", Lab[name], "fdb", "append", "00:00:00:00:00:00", "dev", "vx0", "dst", "172.19.0.5");
    }
}
