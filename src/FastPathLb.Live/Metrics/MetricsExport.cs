using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace FastPathLb.Live.Metrics;

/// <summary>Gives a load balancer's figures to others: as Prometheus text where asked, and by OTLP.</summary>
public sealed class MetricsExport : IDisposable
{
    private const int OtlpIntervalMilliseconds = 10_000;

    private readonly MeterProvider _provider;

    private MetricsExport(MeterProvider provider) => _provider = provider;

    /// <summary>Starts exporting.</summary>
    /// <param name="address">Where Prometheus text is to be had, <c>127.0.0.1:9464</c>; null for nowhere.</param>
    /// <param name="otlp">An OTLP collector's endpoint for metrics over HTTP; null for none.</param>
    /// <param name="otlpIntervalMilliseconds">How often it is sent to; null for every ten seconds.</param>
    /// <exception cref="IOException">The address cannot be listened at.</exception>
    public static MetricsExport Start(string? address, Uri? otlp, int? otlpIntervalMilliseconds = null)
    {
        MeterProviderBuilder builder = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => resource.AddService("fastpathlb"))
            .AddMeter(LiveMetrics.MeterName);
        if (address is not null)
        {
            (string host, int port) = Split(address);
            builder.AddPrometheusHttpListener(options =>
            {
                options.Host = host;
                options.Port = port;
            });
        }

        if (otlp is not null)
        {
            builder.AddOtlpExporter((exporter, reader) =>
            {
                exporter.Endpoint = otlp;
                exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds =
                    otlpIntervalMilliseconds ?? OtlpIntervalMilliseconds;
            });
        }

        try
        {
            return new MetricsExport(builder.Build());
        }
        catch (Exception problem) when (problem is System.Net.HttpListenerException or InvalidOperationException
            || problem.InnerException is System.Net.HttpListenerException)
        {
            throw new IOException($"--metrics {address}: cannot be listened at: {(problem.InnerException ?? problem).Message}", problem);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _provider.Dispose();

    private static (string Host, int Port) Split(string address)
    {
        int colon = address.LastIndexOf(':');
        string host = colon < 0 ? address : address[..colon];
        return colon > 0 && int.TryParse(address.AsSpan(colon + 1), out int port) && port is > 0 and <= ushort.MaxValue
            ? (host is "0.0.0.0" or "*" ? "+" : host, port)
            : throw new IOException($"--metrics {address}: ADDRESS:PORT is expected, such as 127.0.0.1:9464");
    }
}
