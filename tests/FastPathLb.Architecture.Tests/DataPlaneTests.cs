using System.Reflection;
using System.Runtime.CompilerServices;
using FastPathLb.Balancer;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Architecture.Tests;

/// <summary>What holds of the data plane as it was compiled.</summary>
public sealed class DataPlaneTests
{
    private static readonly Assembly[] s_assemblies =
        [typeof(MacAddress).Assembly, typeof(FrameBatch).Assembly, typeof(ConnectionTable).Assembly, typeof(LoadBalancer).Assembly];

    private static readonly string[] s_foreign =
        ["System.Linq", "System.Console", "System.Net", "System.IO", "System.Text.Json", "System.Diagnostics.Process", "Microsoft.Extensions"];

    public static TheoryData<string> Assemblies => [.. s_assemblies.Select(assembly => assembly.GetName().Name!)];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void It_refers_to_no_library_but_its_own_layers_and_the_runtime(string name)
    {
        string[] references = [.. Find(name).GetReferencedAssemblies().Select(reference => reference.Name!)];
        Assert.DoesNotContain(references, reference => s_foreign.Any(foreign => reference.StartsWith(foreign, StringComparison.Ordinal)));
        Assert.All(references, reference => Assert.True(
            reference.StartsWith("System.", StringComparison.Ordinal) || s_assemblies.Any(layer => layer.GetName().Name == reference), reference));
    }

    /// <summary>Workers would share it without knowing.</summary>
    [Theory]
    [MemberData(nameof(Assemblies))]
    public void It_has_no_static_state_that_changes(string name)
    {
        FieldInfo[] fields =
        [
            .. Find(name).GetTypes().Where(type => !type.IsDefined(typeof(CompilerGeneratedAttribute)))
                .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                .Where(field => !field.IsLiteral && !field.IsInitOnly && !field.IsDefined(typeof(CompilerGeneratedAttribute))),
        ];
        Assert.Empty(fields.Select(field => $"{field.DeclaringType!.Name}.{field.Name}"));
    }

    private static Assembly Find(string name) => s_assemblies.Single(assembly => assembly.GetName().Name == name);
}
