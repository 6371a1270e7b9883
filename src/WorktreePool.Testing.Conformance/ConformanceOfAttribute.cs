using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Xunit;

namespace WorktreePool.Testing.Conformance;

/// <summary>
/// Says which backend, store or runner a suite is for. The suite fails if it makes another one, so that <see cref="FindUntested"/> can tell which have none.
/// </summary>
/// <param name="type">The class that implements the seam.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ConformanceOfAttribute(Type type) : Attribute
{
    /// <summary>The class that implements the seam.</summary>
    public Type Type { get; } = type;

    /// <summary>The classes of an assembly that implement <see cref="IGitBackend"/>, <see cref="ISlotStateStore"/> or <see cref="ISetUpRunner"/> and have no suite in the tests: assert that there are none.</summary>
    /// <param name="product">Where backends, stores and runners are.</param>
    /// <param name="tests">Where the suites are.</param>
    [RequiresUnreferencedCode("Looks at every class of both assemblies.")]
    public static IReadOnlyList<Type> FindUntested(Assembly product, Assembly tests)
    {
        ArgumentNullException.ThrowIfNull(product);
        ArgumentNullException.ThrowIfNull(tests);
        IEnumerable<Type?> tested = tests.GetTypes()
            .Where(suite => suite.IsSubclassOf(typeof(GitBackendConformance)) || suite.IsSubclassOf(typeof(SlotStateStoreConformance)) || suite.IsSubclassOf(typeof(SetUpRunnerConformance)))
            .Select(suite => suite.GetCustomAttribute<ConformanceOfAttribute>()?.Type);
        return [.. product.GetTypes()
            .Where(type => type is { IsClass: true, IsAbstract: false } && (type.IsAssignableTo(typeof(IGitBackend)) || type.IsAssignableTo(typeof(ISlotStateStore)) || type.IsAssignableTo(typeof(ISetUpRunner))))
            .Except(tested.OfType<Type>())];
    }

    internal static void Check(Type suite, Type made)
    {
        if (suite.GetCustomAttribute<ConformanceOfAttribute>() is { } claimed)
        {
            Assert.True(claimed.Type == made, $"{suite.Name} says that it is for {claimed.Type.Name}, but makes a {made.Name}.");
        }
    }
}
