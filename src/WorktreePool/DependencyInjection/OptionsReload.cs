using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using WorktreePool.Diagnostics;
using WorktreePool.Runtime;

namespace WorktreePool.DependencyInjection;

/// <summary>
/// Keeps options as their configuration has them. When it changes they are read and validated anew: what is wrong is logged, and the options before stay as they are. An
/// options monitor alone would throw into whoever reloads the configuration, and then have no options at all.
/// </summary>
internal sealed class OptionsReload<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T> : IDisposable where T : class
{
    private readonly string _name;
    private readonly IOptionsFactory<T> _factory;
    private readonly Func<T, T, T> _accept;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly IDisposable[] _watches;

    /// <param name="name">The pool's name.</param>
    /// <param name="factory">Makes validated options.</param>
    /// <param name="sources">Tell of changes.</param>
    /// <param name="accept">Of the options before and those read now, what counts from now on.</param>
    /// <param name="logger">Is told what became of a change.</param>
    public OptionsReload(string name, IOptionsFactory<T> factory, IEnumerable<IOptionsChangeTokenSource<T>> sources, Func<T, T, T> accept, ILogger logger)
    {
        (_name, _factory, _accept, _logger) = (name, factory, accept, logger);
        Options = new Live<T>(Read());
        _watches = [.. sources.Where(source => source.Name == name).Select(source => ChangeToken.OnChange(source.GetChangeToken, Reload))];
    }

    public Live<T> Options { get; }

    public void Dispose()
    {
        foreach (IDisposable watch in _watches)
        {
            watch.Dispose();
        }
    }

    private T Read()
    {
        try
        {
            return _factory.Create(_name);
        }
        catch (OptionsValidationException e)
        {
            throw new PoolConfigurationException(string.Join(Environment.NewLine, e.Failures));
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever makes the options may fail in any way; whoever reloads the configuration must not fail with it.")]
    private void Reload()
    {
        lock (_lock)
        {
            try
            {
                T next = _accept(Options.Current, Read());
                if (next != Options.Current)
                {
                    Options.Replace(next);
                }
            }
            catch (Exception e)
            {
                PoolLog.SettingsRefused(_logger, _name, e.Message);
            }
        }
    }
}
