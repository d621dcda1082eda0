using System.Globalization;
using System.Xml;

namespace FastPathLb.Topology;

/// <summary>Shapes and text of an SVG document.</summary>
internal sealed class SvgCanvas : IDisposable
{
    private const string Namespace = "http://www.w3.org/2000/svg";
    private const string Sans = "DejaVu Sans, Verdana, sans-serif";
    private const string Mono = "DejaVu Sans Mono, Consolas, monospace";

    private readonly XmlWriter _xml;

    /// <summary>Begins a document of a size.</summary>
    public SvgCanvas(TextWriter output, int width, int height, string title)
    {
        _xml = XmlWriter.Create(
            output, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, NewLineChars = "\n", CloseOutput = false });
        _xml.WriteStartElement("svg", Namespace);
        Attribute("width", width);
        Attribute("height", height);
        _xml.WriteAttributeString("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width} {height}"));
        _xml.WriteElementString("title", Namespace, title);
        Box(0, 0, width, height, "#ffffff", "none", 0);
    }

    /// <summary>A rectangle with round corners.</summary>
    public void Box(int x, int y, int width, int height, string fill, string stroke, int radius = 6)
    {
        _xml.WriteStartElement("rect", Namespace);
        Attribute("x", x);
        Attribute("y", y);
        Attribute("width", width);
        Attribute("height", height);
        Attribute("rx", radius);
        _xml.WriteAttributeString("fill", fill);
        _xml.WriteAttributeString("stroke", stroke);
        _xml.WriteEndElement();
    }

    /// <summary>A line of text whose base line begins at a point; cut where it would be longer than a number of letters.</summary>
    public void Text(int x, int y, string text, SvgFont font, int lettersMax = int.MaxValue)
    {
        _xml.WriteStartElement("text", Namespace);
        Attribute("x", x);
        Attribute("y", y);
        Attribute("font-size", font.Size);
        _xml.WriteAttributeString("font-family", font.IsMono ? Mono : Sans);
        _xml.WriteAttributeString("fill", font.Color);
        if (font.IsBold)
        {
            _xml.WriteAttributeString("font-weight", "bold");
        }

        if (font.Anchor != "start")
        {
            _xml.WriteAttributeString("text-anchor", font.Anchor);
        }

        string shown = text.Length > lettersMax ? $"{text.AsSpan(0, lettersMax - 1)}…" : text;
        _xml.WriteString(string.Create(shown.Length, shown, static (target, source) =>
        {
            for (int index = 0; index < source.Length; index++)
            {
                target[index] = XmlConvert.IsXmlChar(source[index]) ? source[index] : '?';
            }
        }));
        _xml.WriteEndElement();
    }

    /// <summary>A curve from one point to another, level at both ends, with an arrow's head.</summary>
    public void Arrow(int x1, int y1, int x2, int y2, string color, bool isDashed)
    {
        const int HeadLength = 8;
        const int HeadHalf = 4;
        int direction = x2 >= x1 ? 1 : -1;
        int end = x2 - (direction * HeadLength);
        int bend = Math.Max(24, Math.Abs(end - x1) / 3) * direction;
        Path(string.Create(CultureInfo.InvariantCulture, $"M{x1},{y1} C{x1 + bend},{y1} {end - bend},{y2} {end},{y2}"), color, "none",
            isDashed);
        Path(
            string.Create(CultureInfo.InvariantCulture, $"M{x2},{y2} L{end},{y2 - HeadHalf} L{end},{y2 + HeadHalf} Z"), color, color,
                false);
    }

    /// <summary>A straight line downwards or upwards with an arrow's head.</summary>
    public void VerticalArrow(int x, int y1, int y2, string color)
    {
        const int HeadLength = 8;
        const int HeadHalf = 4;
        int end = y2 - (Math.Sign(y2 - y1) * HeadLength);
        Path(string.Create(CultureInfo.InvariantCulture, $"M{x},{y1} L{x},{end}"), color, "none", false);
        Path(string.Create(CultureInfo.InvariantCulture, $"M{x},{y2} L{x - HeadHalf},{end} L{x + HeadHalf},{end} Z"), color, color, false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _xml.WriteEndElement();
        _xml.Dispose();
    }

    private void Path(string data, string stroke, string fill, bool isDashed)
    {
        _xml.WriteStartElement("path", Namespace);
        _xml.WriteAttributeString("d", data);
        _xml.WriteAttributeString("fill", fill);
        _xml.WriteAttributeString("stroke", stroke);
        _xml.WriteAttributeString("stroke-width", "2");
        if (isDashed)
        {
            _xml.WriteAttributeString("stroke-dasharray", "6 4");
        }

        _xml.WriteEndElement();
    }

    private void Attribute(string name, int value) => _xml.WriteAttributeString(name, value.ToString(CultureInfo.InvariantCulture));
}

/// <summary>How text looks.</summary>
/// <param name="Size">Size in pixels.</param>
/// <param name="Color">Colour.</param>
/// <param name="IsBold">Whether it is bold.</param>
/// <param name="IsMono">Whether all letters are of one width, as addresses should be.</param>
/// <param name="Anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
internal sealed record SvgFont(int Size, string Color = "#1f2430", bool IsBold = false, bool IsMono = false, string Anchor = "start");
