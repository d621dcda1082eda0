using System.Globalization;
using System.Text;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>Nanoseconds a frame against connections, both axes logarithmic, one line a program.</summary>
internal static class PeersPlot
{
    private const int Width = 720;
    private const int Height = 420;
    private const int Left = 60;
    private const int Right = 130;
    private const int Top = 40;
    private const int Bottom = 50;

    private static readonly string[] s_colors = ["#3b6fb6", "#c0392b", "#7f8c8d"];

    /// <summary>Draws the least of each row.</summary>
    public static string Draw(PeersRow[] rows, string[] programs)
    {
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {Width} {Height}' ")
            .Append("font-family='sans-serif' font-size='12'>\n")
            .Append(CultureInfo.InvariantCulture, $"<rect width='{Width}' height='{Height}' fill='white'/>\n")
            .Append(CultureInfo.InvariantCulture, $"<text x='{Left}' y='20' font-size='14'>ns a frame (net, least) against connections, forward, one core</text>\n");
        if (rows.Length == 0)
        {
            return svg.Append("</svg>\n").ToString();
        }

        double most = Math.Pow(10, Math.Ceiling(Math.Log10(rows.Max(row => row.Net.Least))));
        double least = Math.Min(Math.Pow(10, Math.Floor(Math.Log10(rows.Min(row => row.Net.Least)))), most / 10);
        double flowsMost = Math.Max(rows.Max(row => row.FlowCount), 2);
        for (double line = least; line <= most * 1.001; line *= 10)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1='{Left}' x2='{Width - Right}' y1='{Y(line):F1}' y2='{Y(line):F1}' stroke='#ddd'/>")
                .Append(CultureInfo.InvariantCulture, $"<text x='{Left - 8}' y='{Y(line) + 4:F1}' text-anchor='end'>{line:0.#}</text>\n");
        }

        foreach (int flows in rows.Select(row => row.FlowCount).Distinct().Order())
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x='{X(flows):F1}' y='{Height - Bottom + 20}' text-anchor='middle'>{flows:N0}</text>\n");
        }

        for (int index = 0; index < programs.Length; index++)
        {
            PeersRow[] points = [.. rows.Where(row => row.Program == programs[index]).OrderBy(row => row.FlowCount)];
            if (points.Length == 0)
            {
                continue;
            }

            string color = s_colors[index % s_colors.Length];
            string path = string.Join(' ', points.Select(point => string.Create(
                CultureInfo.InvariantCulture, $"{X(point.FlowCount):F1},{Y(point.Net.Least):F1}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline points='{path}' fill='none' stroke='{color}' stroke-width='2'/>\n");
            foreach (PeersRow point in points)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx='{X(point.FlowCount):F1}' cy='{Y(point.Net.Least):F1}' r='3' fill='{color}'/>")
                    .Append(CultureInfo.InvariantCulture, $"<text x='{X(point.FlowCount):F1}' y='{Y(point.Net.Least) - 7:F1}' ")
                    .Append(CultureInfo.InvariantCulture, $"text-anchor='middle' fill='{color}'>{point.Net.Least:F0}</text>\n");
            }

            svg.Append(CultureInfo.InvariantCulture, $"<text x='{Width - Right + 12}' y='{Y(points[^1].Net.Least) + 4:F1}' fill='{color}'>{programs[index]}</text>\n");
        }

        return svg.Append("</svg>\n").ToString();

        double X(double flows) => Left + (Math.Log(Math.Max(flows, 1)) / Math.Log(flowsMost) * (Width - Left - Right));
        double Y(double nanoseconds) =>
            Height - Bottom - (Math.Log(nanoseconds / least) / Math.Log(most / least) * (Height - Top - Bottom));
    }
}
