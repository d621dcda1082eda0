namespace FastPathLb.NodeState;

/// <summary>Reads <c>iptables-save</c>, with and without <c>-c</c>.</summary>
public static class IptablesSaveReader
{
    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IptablesState Parse(string text, string fileName)
    {
        List<TableState> tables = [];
        IptablesTableDraft? table = null;
        TextPlace last = new(fileName, 1);
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            last = line.Place;
            if (line.Text.StartsWith('#'))
            {
                continue;
            }

            if (line.Text.StartsWith('*'))
            {
                if (table is not null)
                {
                    throw line.Place.Expected($"COMMIT of table {table.Name}", line.Text);
                }

                table = new IptablesTableDraft(line.Text[1..].Trim());
            }
            else if (table is null)
            {
                throw line.Place.Expected("a table such as '*mangle'", line.Text);
            }
            else if (line.Text.Trim() == "COMMIT")
            {
                tables.Add(table.Build());
                table = null;
            }
            else
            {
                table.Add(line);
            }
        }

        return table is null
            ? new IptablesState(tables)
            : throw last.Problem($"table {table.Name} ends without COMMIT: the dump is cut");
    }
}
