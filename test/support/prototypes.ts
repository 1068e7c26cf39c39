/**
 * The test pool wraps the prototype of an object's class in one more Proxy for every object that it makes, so that the
 * thousandth object looks up each of its members through a thousand of them. One does the same: a Proxy of this
 * kind around another of this kind is the inner one.
 */
const OUR_POOLS = "getUnknownPrototypeKey";
const RealProxy = Proxy;
const wrapped = new WeakSet<object>();

globalThis.Proxy = new RealProxy(RealProxy, {
  construct(Real, [target, handler]: [object, ProxyHandler<object>]) {
    if (!String(handler.get).includes(OUR_POOLS)) return new Real(target, handler);
    if (wrapped.has(target)) return target;
    const proxy = new Real(target, handler);
    wrapped.add(proxy);
    return proxy;
  },
});
