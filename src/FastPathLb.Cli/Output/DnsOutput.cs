using FastPathLb.Discovery;
using FastPathLb.Wire;

namespace FastPathLb.Cli.Output;

/// <summary>An answer of the embedded resolver.</summary>
internal static class DnsOutput
{
    /// <summary>Writes it for people.</summary>
    public static void WriteText(TextWriter writer, string name, DnsRecordType type, DnsAnswer answer)
    {
        TextTable table = new("", "", "", "");
        string kind = WordOf(type);
        foreach (Ipv4Address address in answer.Addresses)
        {
            table.Add(name, kind, address.ToString(), $"{DnsAnswer.TimeToLiveSeconds} s");
        }

        if (answer.HostName is not null)
        {
            table.Add(name, kind, answer.HostName, $"{DnsAnswer.TimeToLiveSeconds} s");
        }

        if (answer.Addresses.Count == 0 && answer.HostName is null)
        {
            table.Add(name, kind, answer.Code == DnsResponseCode.NoError ? "no record" : "refused", "");
        }

        table.Write(writer, hasHeads: false);
        writer.WriteLine($"  ({answer.Reason})");
    }

    /// <summary>Writes it as JSON.</summary>
    public static void WriteJson(TextWriter output, string name, DnsRecordType type, DnsAnswer answer)
    {
        using JsonOutput json = new(output);
        json.Writer.WriteStartObject();
        json.Writer.WriteString("name", name);
        json.Writer.WriteString("type", WordOf(type));
        json.Writer.WriteString("code", answer.Code == DnsResponseCode.NoError ? "noerror" : "refused");
        json.Writer.WriteNumber("ttlSeconds", DnsAnswer.TimeToLiveSeconds);
        SummaryJson.WriteStrings(json.Writer, "addresses", answer.Addresses.Select(address => address.ToString()));
        json.Writer.WriteString("hostName", answer.HostName);
        json.Writer.WriteString("reason", answer.Reason);
        json.Writer.WriteEndObject();
        json.End();
    }

    private static string WordOf(DnsRecordType type) => type.ToString().ToUpperInvariant();
}
